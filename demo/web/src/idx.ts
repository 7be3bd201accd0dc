/** Whether a file's name is like those of MNIST and its kin. */
export function isIDX(name: string): boolean {
  return /(images|labels)[.-]idx\d/i.test(name) || /-ubyte(\.gz)?$/i.test(name) || /\.idx\d?(\.gz)?$/i.test(name);
}
