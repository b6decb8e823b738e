/**
 * The training step of {@code bench step} in libtorch through DJL: a program of its own, built on demand, on nobody's class
 * path. Belongs here: what a good DJL user would write. Does not belong here: anything of this library.
 */
package dev.samediff.peers;
