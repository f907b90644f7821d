// SPDX-License-Identifier: Apache-2.0
// Thins meshes beside the page, whose socket must answer meanwhile.

import { fetchMesh } from './mesh';

interface Request {
  id: number;
  url: string;
}

addEventListener('message', ({ data: { id, url } }: MessageEvent<Request>) => {
  fetchMesh(url).then(
    (mesh) => postMessage({ id, ...mesh }, { transfer: [mesh.position.buffer, mesh.normal.buffer] }),
    (error: unknown) => postMessage({ id, error: String(error) }),
  );
});
