package dev.samediff.samples.task;

import dev.samediff.adapters.io.FileState;
import dev.samediff.adapters.text.jsonl.ExampleSource;
import dev.samediff.adapters.text.jsonl.Learnable;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Examples of a file, which is read anew each time, so that it may be larger than the memory. A file that was changed meanwhile is refused: its
 * parts would not belong together.
 *
 * @param state the file as it was when it was first read
 * @param reader reads it
 */
record TrainingFile(FileState state, ExampleSource reader) implements ExampleSource {
    @Override
    public void read(Consumer<? super Learnable> sink) {
        state.requireSame();
        reader.read(sink);
        state.requireSame();
    }

    @Override
    public Optional<String> change() {
        return state.change();
    }
}
