// SPDX-License-Identifier: Apache-2.0
// A browser under remote control: reads one JSON request a line, answers one a line. Used by tests/integration/browser.py.

import { createInterface } from 'node:readline';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const HERE = dirname(fileURLToPath(import.meta.url));
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--enable-unsafe-swiftshader', '--mute-audio',
];

// Sockets that a test can cut and keep from coming back, and a page that a test can hide.
const INSTRUMENTS = () => {
  // What the browser itself did meanwhile: by how much a timer of 10 ms was late at most [ms].
  window.late = 0;
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    window.late = Math.max(window.late, now - last - 10);
    last = now;
  }, 10);
  const open = new Set();
  const Real = window.WebSocket;
  let cut = false;
  window.WebSocket = class extends Real {
    constructor(...args) {
      super(...args);
      open.add(this);
      this.addEventListener('close', () => open.delete(this));
      if (cut) this.close();
    }
  };
  let hidden = false;
  Object.defineProperty(Document.prototype, 'hidden', { get: () => hidden });
  Object.defineProperty(Document.prototype, 'visibilityState', { get: () => (hidden ? 'hidden' : 'visible') });
  window.instruments = {
    cut: (on) => {
      cut = on;
      if (on) for (const socket of open) socket.close();
    },
    hide: (on) => {
      hidden = on;
      document.dispatchEvent(new Event('visibilitychange'));
    },
  };
};

// An emulated Quest 3, its controllers moved by the test. It draws 30 frames a second: two cores carry the robot, the console and the browser.
const HEADSET = () => {
  const next = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (step) => setTimeout(() => next(step), 17);
  const device = new window.IWER.XRDevice(window.IWER.metaQuest3);
  device.installRuntime({ forceInstall: true });
  device.position.set(0, 1.6, 0);
  device.controllers.left.position.set(-0.25, 1.1, -0.35);
  device.controllers.right.position.set(0.25, 1.1, -0.35);
  window.headset = device;
  window.glide = async (side, dx, dy, dz, seconds) => {
    const { position } = device.controllers[side];
    const from = [position.x, position.y, position.z];
    const start = performance.now();
    for (let s = 0; s < 1; ) {
      await new Promise((next) => setTimeout(next, 8));
      s = Math.min(1, (performance.now() - start) / (1000 * seconds));
      const e = s * s * (3 - 2 * s);
      position.set(from[0] + dx * e, from[1] + dy * e, from[2] + dz * e);
    }
  };
};

const profile = mkdtempSync(join(tmpdir(), 'kata-browser-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.KATA_CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: [...FLAGS, ...(process.env.KATA_CHROMIUM_FLAGS ?? '').split(' ').filter(Boolean)],
  viewport: null,
  reducedMotion: 'reduce',
});
const pages = new Map();
const faults = [];

const DO = {
  async open({ page, url, width, height, headset, dark }) {
    const one = await browser.newPage();
    await one.setViewportSize({ width, height });
    await one.emulateMedia({ colorScheme: dark === false ? 'light' : 'dark' });
    one.on('pageerror', (error) => faults.push(`${page}: ${error.message}`));
    one.on('console', (line) => line.type() === 'error' && !/WebSocket connection/.test(line.text()) && faults.push(`${page}: ${line.text()}`));
    await one.addInitScript(INSTRUMENTS);
    if (headset) {
      await one.addInitScript({ path: join(HERE, '../node_modules/iwer/build/iwer.min.js') });
      await one.addInitScript(HEADSET);
    }
    pages.set(page, one);
    await one.goto(url);
  },
  goto: ({ page, url }) => pages.get(page).goto(url).then(() => null),
  front: ({ page }) => pages.get(page).bringToFront(),
  reload: ({ page }) => pages.get(page).reload().then(() => null),
  close: ({ page }) => pages.get(page).close(),
  click: ({ page, on }) => pages.get(page).click(on, { timeout: 15000 }),
  fill: ({ page, on, text }) => pages.get(page).fill(on, text),
  press: ({ page, key }) => pages.get(page).keyboard.press(key),
  keyDown: ({ page, key }) => pages.get(page).keyboard.down(key),
  keyUp: ({ page, key }) => pages.get(page).keyboard.up(key),
  text: ({ page, on }) => pages.get(page).locator(on).innerText(),
  evaluate: ({ page, script }) => pages.get(page).evaluate(script),
  async until({ page, script, seconds }) {
    // Not waitForFunction: it evaluates in the page, which the server's content security policy forbids.
    let last = '';
    for (const end = Date.now() + 1000 * seconds; Date.now() < end; await new Promise((next) => setTimeout(next, 50))) {
      try {
        if (await pages.get(page).evaluate(script)) return true;
      } catch (error) {
        last = ` (${error.message})`; // while a page is reloaded
      }
    }
    throw new Error(`not true within ${seconds} s: ${script}${last}`);
  },
  shot: ({ page, path, quality }) => pages.get(page).screenshot(path.endsWith('.png') ? { path } : { path, type: 'jpeg', quality }).then(() => null),
  faults: () => faults.splice(0),
};

process.stdout.write('{"ready": true}\n');
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  try {
    process.stdout.write(`${JSON.stringify({ value: (await DO[request.do](request)) ?? null })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: String(error.message ?? error) })}\n`);
  }
}
await browser.close();
rmSync(profile, { recursive: true, force: true });
