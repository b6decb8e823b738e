@NullMarked
package dev.samediff.adapters.memory;

import org.jspecify.annotations.NullMarked;
