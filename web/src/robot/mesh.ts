// SPDX-License-Identifier: Apache-2.0
// Link meshes, thinned so that a phone or a headset draws the robot twice (itself and its target) without effort.

import { MeshoptSimplifier } from 'meshoptimizer';
import { BufferAttribute, BufferGeometry } from 'three';
import { STLLoader } from 'three/examples/jsm/loaders/STLLoader.js';
import { mergeVertices, toCreasedNormals } from 'three/examples/jsm/utils/BufferGeometryUtils.js';

const SHARE = 0.12; // of a mesh's triangles that are kept
const FEWEST = 500; // triangles below which nothing is taken away
const ERROR = 0.008; // largest deviation, as a share of the mesh's size
const CREASE = 0.6; // edges sharper than this stay sharp [rad]

/** A mesh as three corners a triangle, three numbers a corner. */
export interface Corners {
  position: Float32Array<ArrayBuffer>;
  normal: Float32Array<ArrayBuffer>;
}

/** Load a binary or text STL, and return it thinned, with normals. */
export async function fetchMesh(url: string): Promise<Corners> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const raw = new STLLoader().parse(await response.arrayBuffer());
  await MeshoptSimplifier.ready;
  const mesh = thin(raw);
  const numbers = (name: string) => new Float32Array(mesh.getAttribute(name).array);
  return { position: numbers('position'), normal: numbers('normal') };
}

/** Return the geometry with fewer triangles and with normals that keep sharp edges. */
export function thin(raw: BufferGeometry): BufferGeometry {
  raw.deleteAttribute('normal');
  const merged = mergeVertices(raw, 1e-5);
  const index = merged.getIndex();
  const position = merged.getAttribute('position');
  if (!index || index.count / 3 < FEWEST) return toCreasedNormals(merged, CREASE);
  const wanted = Math.max(FEWEST, Math.round((index.count / 3) * SHARE)) * 3;
  const [kept] = MeshoptSimplifier.simplify(new Uint32Array(index.array), new Float32Array(position.array), 3, wanted, ERROR);
  merged.setIndex(new BufferAttribute(kept, 1));
  return toCreasedNormals(merged, CREASE);
}
