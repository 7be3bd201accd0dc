// Where the package's files lie. Bundlers look for `new URL("./x", import.meta.url)` in these words, so each stands alone.

const packaged: { readonly [name: string]: () => URL } = {
  "worker.js": () => new URL("./worker.js", import.meta.url),
  "weft.wasm": () => new URL("./weft.wasm", import.meta.url),
  "weft-shared.wasm": () => new URL("./weft-shared.wasm", import.meta.url),
  "weft-full.wasm": () => new URL("./weft-full.wasm", import.meta.url),
  "weft-full-shared.wasm": () => new URL("./weft-full-shared.wasm", import.meta.url),
  "kernels-simd128.wasm": () => new URL("./kernels-simd128.wasm", import.meta.url),
  "kernels-simd128-shared.wasm": () => new URL("./kernels-simd128-shared.wasm", import.meta.url),
  "kernels-relaxed.wasm": () => new URL("./kernels-relaxed.wasm", import.meta.url),
  "kernels-relaxed-shared.wasm": () => new URL("./kernels-relaxed-shared.wasm", import.meta.url),
};

/** URLs of the package's files by their plain names. */
export interface FileURLs {
  [name: string]: string;
}

/**
 * URLs of all files: beside the package's code, or below baseURL; `files` renames single ones (hashed names), relative to the base.
 */
export function fileURLs(baseURL?: string | URL, files: { [name: string]: string } = {}): FileURLs {
  const urls: FileURLs = {};
  const page = (globalThis as { location?: { href: string } }).location?.href;
  const base = baseURL === undefined ? undefined : new URL(String(baseURL).replace(/\/?$/, "/"), page);
  for (const [name, url] of Object.entries(packaged)) {
    const renamed = files[name];
    if (base) urls[name] = new URL(renamed ?? name, base).href;
    else urls[name] = renamed === undefined ? url().href : new URL(renamed, page ?? import.meta.url).href;
  }
  return urls;
}
