/**
 * Memory outside of the Java heap: in large pages, behind arrays by way of files, given back to the system.
 *
 * <p>Belongs here: what the operating system is asked. Does not belong here: which arrays are worth it ({@code adapters},
 * {@code engine}).
 *
 * <p>Internal: public for the packages of this project, and changed without notice.
 */
@Internal
@NullMarked
package dev.samediff.adapters.memory;

import dev.samediff.adapters.Internal;
import org.jspecify.annotations.NullMarked;
