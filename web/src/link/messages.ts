// SPDX-License-Identifier: Apache-2.0
// The JSON messages of docs/operator_protocol.md that the server sends.

export interface Welcome {
  client: number;
  token: string;
  name: string;
  robot: string;
  source: string;
  mode: 'hold' | 'toggle';
  hands: string[];
  times: { hold_ms: number; lost_ms: number; stop_ms: number };
}

export interface Person {
  client: number;
  name: string;
  kind: string;
}

export interface Seat {
  operator: number | null;
  you: 'operator' | 'viewer';
  clients: Person[];
}

export interface Engage {
  state: 'disengaged' | 'arming' | 'engaged' | 'lost';
  source: string;
  cause: string;
  text: string;
  mode: 'hold' | 'toggle';
  scale: number;
  precise: boolean;
  hands: Record<string, { tracked: boolean; clutched: boolean; angle: number | null }>;
}

export interface Verdict {
  status: string;
  reasons: string[];
  words: string[];
  joints: string[];
  estop: boolean;
}

export interface Episode {
  recording: boolean;
  available: boolean;
  task: string;
  path: string;
  saved: number;
  discarded: number;
  messages: number;
  marks: number;
  lost: number;
  note: string;
  grade: string;
  reasons: string[];
  seconds: number;
}

export interface Contract {
  robot?: string;
  task?: string;
  joints?: string[];
  terms?: { name: string; shape: number[] }[];
  rate?: number;
  horizon?: number;
  commit?: string;
  data_hash?: string;
}

export interface Policy {
  files: string[];
  file: string;
  state: 'none' | 'loading' | 'ready' | 'running' | 'taken_over' | 'failed';
  text: string;
  contract: Contract | null;
}

export interface Latency {
  offset_ms: number;
  rtt_ms: number;
  delay_ms: number | null;
  jitter_ms: number | null;
  lost: number;
  late: number;
  refused: number;
  stages: { socket?: number | null; retarget?: number | null; safety?: number | null };
}

export interface Answer {
  ok: boolean;
  text: string;
  code?: string;
  url?: string;
  svg?: string;
}

/** Messages that tell a state, by their `type`. */
export interface States {
  welcome: Welcome;
  seat: Seat;
  engage: Engage;
  verdict: Verdict;
  episode: Episode;
  policy: Policy;
  link: Latency;
  request: { client: number; name: string };
  notice: { level: 'info' | 'warning' | 'error'; text: string };
  error: { code: string; text: string };
}
