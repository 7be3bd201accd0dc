// Checkpoints in the browser's storage: the origin's private files where there are any, else IndexedDB.
import { WeftError, argument } from "./errors.js";

/** Where checkpoints lie. */
interface Store {
  list(): Promise<string[]>;
  load(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  save(name: string, bytes: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
}

/** A name that is held by one tab. */
export interface Lock {
  release(): void;
}

const folder = "weft-checkpoints";

/** Files of the origin. A file is replaced at its close, whole or not at all. */
async function openFiles(): Promise<Store | undefined> {
  const storage = (globalThis as { navigator?: Navigator }).navigator?.storage;
  if (typeof storage?.getDirectory !== "function" || typeof (globalThis as { FileSystemFileHandle?: { prototype: object } }).FileSystemFileHandle?.prototype !== "object") return undefined;
  if (!("createWritable" in FileSystemFileHandle.prototype)) return undefined;
  let dir: FileSystemDirectoryHandle;
  try {
    dir = await (await storage.getDirectory()).getDirectoryHandle(folder, { create: true });
  } catch {
    return undefined; // private windows of some browsers refuse
  }
  const file = (name: string) => `${encodeURIComponent(name)}.ckpt`;
  return {
    async list() {
      const names: string[] = [];
      for await (const key of dir.keys()) if (key.endsWith(".ckpt")) names.push(decodeURIComponent(key.slice(0, -5)));
      return names.sort();
    },
    async load(name) {
      try {
        const handle = await dir.getFileHandle(file(name));
        return new Uint8Array(await (await handle.getFile()).arrayBuffer());
      } catch (err) {
        if ((err as DOMException).name === "NotFoundError") return undefined;
        throw err;
      }
    },
    async save(name, bytes) {
      const handle = await dir.getFileHandle(file(name), { create: true });
      const out = await handle.createWritable();
      await out.write(bytes as Uint8Array<ArrayBuffer>);
      await out.close();
    },
    async remove(name) {
      try {
        await dir.removeEntry(file(name));
      } catch (err) {
        if ((err as DOMException).name !== "NotFoundError") throw err;
      }
    },
  };
}

async function openDatabase(): Promise<Store | undefined> {
  if (typeof indexedDB !== "object") return undefined;
  const done = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const opening = indexedDB.open(folder, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("files");
  let db: IDBDatabase;
  try {
    db = await done(opening);
  } catch {
    return undefined;
  }
  const read = () => db.transaction("files").objectStore("files");
  const write = async (act: (files: IDBObjectStore) => void) => {
    const change = db.transaction("files", "readwrite", { durability: "strict" });
    act(change.objectStore("files"));
    await new Promise<void>((resolve, reject) => {
      change.oncomplete = () => resolve();
      change.onabort = change.onerror = () => reject(change.error);
    });
  };
  return {
    list: async () => ((await done(read().getAllKeys())) as string[]).sort(),
    load: async (name) => {
      const bytes = (await done(read().get(name))) as Uint8Array<ArrayBuffer> | undefined;
      return bytes;
    },
    save: (name, bytes) => write((files) => files.put(bytes.slice(), name)),
    remove: (name) => write((files) => files.delete(name)),
  };
}

/** Checkpoints by name. */
export class Checkpoints {
  private store: Promise<Store | undefined> | undefined;

  private async open(): Promise<Store> {
    this.store ??= openFiles().then((files) => files ?? openDatabase());
    const store = await this.store;
    if (!store) throw new WeftError("storage", "weft: there is no storage for checkpoints here; keep the bytes of model.save() yourself");
    return store;
  }

  private async attempt<T>(what: string, name: string, act: (store: Store) => Promise<T>): Promise<T> {
    if (typeof name !== "string" || name === "") throw argument("a checkpoint has a name, a string");
    const store = await this.open();
    try {
      return await act(store);
    } catch (err) {
      const full = (err as DOMException).name === "QuotaExceededError" ? "; the browser's storage is full: remove checkpoints that are not needed" : "";
      throw new WeftError("storage", `weft: checkpoint "${name}" cannot be ${what}: ${(err as Error).message}${full}`, { cause: err });
    }
  }

  /** Names of all checkpoints. */
  async list(): Promise<string[]> {
    return (await this.open()).list();
  }

  /** The bytes of a checkpoint; undefined when there is none of that name. */
  load(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.attempt("read", name, (store) => store.load(name));
  }

  /** Keeps bytes under a name; a training run of another tab under that name is an error. */
  async save(name: string, bytes: Uint8Array): Promise<void> {
    const lock = await this.lock(name);
    try {
      await this.write(name, bytes);
    } finally {
      lock.release();
    }
  }

  /** Removes a checkpoint, if it is there. */
  remove(name: string): Promise<void> {
    return this.attempt("removed", name, (store) => store.remove(name));
  }

  /** Writes for the holder of the lock. @internal */
  write(name: string, bytes: Uint8Array): Promise<void> {
    return this.attempt("written", name, (store) => store.save(name, bytes));
  }

  /** Takes a name for this tab until it is released; the browser releases it when the tab ends. @internal */
  async lock(name: string): Promise<Lock> {
    await this.open();
    const locks = (globalThis as { navigator?: Navigator }).navigator?.locks;
    if (!locks) return { release: () => {} };
    return new Promise<Lock>((resolve, reject) => {
      locks
        .request(`weft:checkpoint:${name}`, { ifAvailable: true }, (lock) => {
          if (!lock) throw new WeftError("storage", `weft: checkpoint "${name}" is in use by another training run, in this tab or another; stop that one, or choose another name`);
          return new Promise<void>((release) => resolve({ release }));
        })
        .catch(reject);
    });
  }
}

/** The checkpoints of this origin. */
export const checkpoints = new Checkpoints();
