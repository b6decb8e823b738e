/** What tests share. */
@NullMarked
package dev.samediff.adapters.testing;

import org.jspecify.annotations.NullMarked;
