// Worker is the HTTP handler of "weft serve" with LeNet in it, as a Cloudflare Worker. "make worker" builds the folder that
// "wrangler deploy" takes.
//
// The platform gives a program isolates, each with one thread of JavaScript, and each answers many requests, also some at the same
// time. github.com/syumai/workers makes the Go side of it, but starts an instance of the program for each request. Here one is started per isolate
// (src/app.mjs): weights, programs and the kernel module are there from the second request on.
//
// What makes that safe is that nothing of one request is ever waited for in another, which the platform forbids. JavaScript has
// read the body before it calls Go; the call runs the handler to its end, or until it waits for time, and gives back plain data, of which JavaScript makes
// the Response. Go has no promise, no stream and no timer of the platform's: where a handler waits, the request that it
// serves waits for the time with a timer of its own and wakes Go.
package main
