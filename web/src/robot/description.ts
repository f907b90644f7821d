// SPDX-License-Identifier: Apache-2.0

/** Where the server keeps the robot, what it calls its joints, how high its base stands [m]. */
export interface Description {
  name: string;
  urdf: string;
  packages: Record<string, string>;
  joints: string[];
  base_height: number;
}

/** Ask the server which robot it has. */
export async function fetchDescription(): Promise<Description> {
  const response = await fetch('robot.json');
  if (!response.ok) throw new Error(`robot.json: ${response.status}`);
  return (await response.json()) as Description;
}
