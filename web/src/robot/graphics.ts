// SPDX-License-Identifier: Apache-2.0

/** How pictures are computed: by the processor they are to be few and coarse, so that the rest stays quick; `?fine` wants them fine, though few. */
export function graphics(): { soft: boolean; coarse: boolean } {
  const soft = drawnBySoftware();
  return { soft, coarse: soft && !new URLSearchParams(location.search).has('fine') };
}

function drawnBySoftware(): boolean {
  const gl = document.createElement('canvas').getContext('webgl2');
  if (!gl) return true;
  const renderer = String(gl.getParameter(gl.getExtension('WEBGL_debug_renderer_info')?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER));
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return /swiftshader|llvmpipe|software|basic render/i.test(renderer);
}
