/** Helpers that tests share: golden files, arrays written by numpy. No production code. */
@NullMarked
package dev.samediff.adapters.testing;

import org.jspecify.annotations.NullMarked;
