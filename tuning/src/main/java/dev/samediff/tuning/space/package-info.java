/** What a sweep may vary, and one point of it: values, conditions, JSON. No search happens here. */
@NullMarked
package dev.samediff.tuning.space;

import org.jspecify.annotations.NullMarked;
