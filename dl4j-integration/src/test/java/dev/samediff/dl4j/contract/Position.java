package dev.samediff.dl4j.contract;

import dev.samediff.dl4j.TransferOptions;

/** Where the tested layer or vertex stands. */
enum Position {
    /** It has the adapters. */
    ADAPTED("adapted weights"),
    /** It is frozen, and what has adapters lies below it. */
    ABOVE("frozen above"),
    /** It is frozen, and what has adapters lies above it. */
    BELOW("frozen below"),
    /** It is trained in full, and what has adapters lies below it. */
    TRAINED("trained in full");

    private final String title;

    Position(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    /** Returns whether nothing of the tested one is trained. */
    boolean isFrozen() {
        return this == ABOVE || this == BELOW;
    }

    /**
     * Chooses what is adapted.
     *
     * @param transfer an adaptation of a network around the tested one
     * @param below names of the layers below; none if there is none
     */
    <B extends TransferOptions<B>> B choose(B transfer, String... below) {
        return switch (this) {
            case ADAPTED -> transfer.layers(Networks.TESTED);
            case ABOVE -> transfer.layers(below);
            case BELOW -> transfer.layers(Networks.OUTPUT);
            case TRAINED -> transfer.layers(below).trainFully(Networks.TESTED);
        };
    }
}
