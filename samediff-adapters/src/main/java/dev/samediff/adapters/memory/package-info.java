/**
 * Memory outside of the Java heap: in large pages, behind arrays by way of files, given back to the system.
 *
 * <p>Belongs here: what the operating system is asked. Does not belong here: which arrays are worth it ({@code adapters},
 * {@code engine}).
 */
@NullMarked
package dev.samediff.adapters.memory;

import org.jspecify.annotations.NullMarked;
