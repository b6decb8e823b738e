package dev.samediff.adapters.engine.kernel;

import org.bytedeco.javacpp.Pointer;

/** A raw address in the form that native methods want; it owns nothing. */
final class Address extends Pointer {
    Address at(long newAddress) {
        address = newAddress;
        return this;
    }
}
