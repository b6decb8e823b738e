@NullMarked
package dev.samediff.adapters.train;

import org.jspecify.annotations.NullMarked;
