// SPDX-License-Identifier: Apache-2.0
// Two pages, the console and the headset's, built into web/dist; nothing is loaded from elsewhere.
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = dirname(fileURLToPath(import.meta.url));

export default defineConfig({
  base: './',
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    rollupOptions: { input: { console: resolve(here, 'index.html'), headset: resolve(here, 'vr.html') } },
  },
  test: { include: ['tests/*.test.ts'] },
});
