// SPDX-License-Identifier: Apache-2.0

import { BufferAttribute, BufferGeometry } from 'three';
import type { Corners } from './mesh';

type Answer = { id: number } & (Corners | { error: string });

/** Loads meshes in a worker of its own, until it is closed. */
export class MeshQueue {
  private readonly worker = new Worker(new URL('./mesh_worker.ts', import.meta.url), { type: 'module' });
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private next = 0;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      this.waiting.get(data.id)?.(data);
      this.waiting.delete(data.id);
    };
  }

  /** Load a mesh, thinned. */
  load(url: string): Promise<BufferGeometry> {
    const id = this.next++;
    this.worker.postMessage({ id, url: new URL(url, location.href).href });
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (answer) => {
        if ('error' in answer) return reject(new Error(answer.error));
        const geometry = new BufferGeometry();
        geometry.setAttribute('position', new BufferAttribute(answer.position, 3));
        geometry.setAttribute('normal', new BufferAttribute(answer.normal, 3));
        return resolve(geometry);
      });
    });
  }

  /** End the worker. */
  close(): void {
    this.worker.terminate();
  }
}
