/** Version of the package. The Go program says the same when it starts; a test compares it with package.json. */
export const VERSION = "0.3.0";
