@NullMarked
package dev.samediff.adapters.engine;

import org.jspecify.annotations.NullMarked;
