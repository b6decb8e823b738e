package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.Sentence;
import dev.samediff.adapters.backend.DeviceMemory;
import dev.samediff.adapters.text.generation.NonFiniteLogitsException;
import dev.samediff.adapters.train.NonFiniteException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Locale;

/**
 * How a command ends that did not do what was asked.
 *
 * @param exitCode 1 if the work failed, 2 if something the user gave cannot be used
 * @param sentence what happened and what to do, on one line
 */
record Failure(int exitCode, String sentence) {
    static final int WORK_FAILED = 1;
    static final int UNUSABLE_INPUT = 2;

    private static final String HINT = " (--verbose shows where)";

    Failure {
        sentence = Sentence.of(sentence);
    }

    static Failure of(Throwable thrown) {
        if (thrown instanceof InvalidInputException || thrown instanceof NonFiniteLogitsException) {
            return new Failure(UNUSABLE_INPUT, message(thrown));
        }
        if (thrown instanceof NonFiniteException) { // its sentence says what to do
            return new Failure(WORK_FAILED, message(thrown));
        }
        if (thrown instanceof UncheckedIOException wrapper && wrapper.getCause() != null) {
            return of(wrapper.getCause());
        }
        if (thrown instanceof FileSystemException file) {
            return new Failure(WORK_FAILED, describe(file));
        }
        if (thrown instanceof IOException) {
            return new Failure(WORK_FAILED, message(thrown) + HINT);
        }
        if (DeviceMemory.isExhausted(thrown)) {
            return new Failure(
                    WORK_FAILED,
                    "the device's memory is used up: " + message(thrown)
                            + "; try a smaller --batch or --max-length, or --backend cpu");
        }
        if (isOutOfMemory(thrown)) {
            return new Failure(
                    WORK_FAILED,
                    "out of memory: " + message(thrown)
                            + "; try a smaller --batch or --max-length, or more memory: SAMEDIFF_HEAP=4g samples/run ...");
        }
        return new Failure(WORK_FAILED, thrown.getClass().getSimpleName() + ": " + message(thrown) + HINT);
    }

    /** Also while a class is made ready, which ends in another error. */
    private static boolean isOutOfMemory(Throwable thrown) {
        boolean isLinking = thrown instanceof LinkageError;
        for (Throwable each = thrown; each != null; each = isLinking ? each.getCause() : null) {
            String message = message(each);
            if (each instanceof OutOfMemoryError
                    || message.contains(OutOfMemoryError.class.getSimpleName())
                    || message.toLowerCase(Locale.ROOT).contains("physical memory usage is too high")) {
                return true;
            }
        }
        return false;
    }

    private static String describe(FileSystemException failure) {
        String file = String.valueOf(failure.getFile());
        if (failure instanceof AccessDeniedException) {
            return "no permission to use " + file + "; choose another place or change its permissions";
        }
        if (failure instanceof NoSuchFileException) {
            return file + " does not exist";
        }
        if (failure instanceof NotDirectoryException || failure instanceof FileAlreadyExistsException) {
            return file + " is in the way: it exists and is not a directory; choose another place";
        }
        return file + ": " + (failure.getReason() == null ? failure.getClass().getSimpleName() : failure.getReason());
    }

    private static String message(Throwable thrown) {
        String message = thrown.getMessage();
        return message == null || message.isBlank() ? "no further explanation" : message;
    }
}
