// Files that are dropped on a page.

/** Takes files that are dropped anywhere on the page; folders are opened. over tells whether files are held over the page. */
export function onDrop(over: (is: boolean) => void, take: (files: File[], folder: string) => void): void {
  // Before all others, and for them: who else listens would take the files too.
  const listen = <K extends "dragover" | "drop">(type: K, f: (e: DragEvent) => void) =>
    document.addEventListener(
      type,
      (e) => {
        if (!e.dataTransfer?.types.includes("Files")) return;
        e.preventDefault();
        e.stopPropagation();
        f(e);
      },
      true,
    );
  listen("dragover", () => over(true));
  document.addEventListener("dragleave", (e) => e.relatedTarget === null && over(false));
  listen("drop", (e) => {
    over(false);
    const { files, items } = e.dataTransfer!;
    // What was dropped can be asked for now only.
    const folders = [...items].map((i) => i.webkitGetAsEntry?.()).filter((f) => f?.isDirectory) as FileSystemDirectoryEntry[];
    const plain = [...files].filter((f) => !folders.some((d) => d.name === f.name));
    void Promise.all(folders.map(inside)).then((more) => {
      const all = plain.concat(...more);
      if (all.length) take(all, folders.length === 1 && !plain.length ? folders[0]!.name : "");
    });
  });
}

/** The files of a folder, those in its own folders left out. */
async function inside(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const reader = folder.createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    // A few at a time, none at the end.
    const some = await new Promise<FileSystemEntry[]>((ok) => reader.readEntries(ok, () => ok([])));
    if (!some.length) break;
    found.push(...some);
  }
  const file = (e: FileSystemEntry) => new Promise<File[]>((ok) => (e as FileSystemFileEntry).file((f) => ok([f]), () => ok([])));
  return (await Promise.all(found.filter((e) => e.isFile).map(file))).flat();
}
