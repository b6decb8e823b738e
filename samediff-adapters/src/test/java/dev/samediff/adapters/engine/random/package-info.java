/** Random graphs of what importers emit, executed by the compiled engine and by SameDiff's own operations. */
@NullMarked
package dev.samediff.adapters.engine.random;

import org.jspecify.annotations.NullMarked;
