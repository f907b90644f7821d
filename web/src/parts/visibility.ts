// SPDX-License-Identifier: Apache-2.0
// Tells the server at once when this page is hidden: an operator who does not see the page does not operate.

import type { Session } from './session';

/** Report changes, and the present state after each reconnection; `sees` may know better than the document. */
export function reportVisibility(session: Session, sees: () => boolean = () => !document.hidden): () => void {
  const report = () => session.connection.send({ type: 'visible', on: sees() });
  document.addEventListener('visibilitychange', report);
  addEventListener('pagehide', () => session.connection.send({ type: 'visible', on: false }));
  addEventListener('pageshow', report);
  session.connection.on('welcome', report);
  return report;
}
