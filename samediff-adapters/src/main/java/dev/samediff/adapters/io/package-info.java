/**
 * Files of the library: durable writes, safetensors, adapter folders; and the addresses that its servers listen to.
 *
 * <p>Every file is written so that a crash, a full disk or a kill -9 leaves either the previous version or the new one, and replaces only what
 * {@link dev.samediff.adapters.io.Destination} allows.
 */
@NullMarked
package dev.samediff.adapters.io;

import org.jspecify.annotations.NullMarked;
