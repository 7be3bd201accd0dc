// Package cores says which core a thread runs on, and asks the system for another. Threads that wait for each other want a core each; a system that is busy
// may wake one on the core of the thread that woke it, and leave it there for as long as neither sleeps. Where the system has no such calls everything
// here does nothing.
package cores
