package dev.samediff.importer.onnx;

import dev.samediff.adapters.memory.BlankArrays;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Reads weights in the background while ND4J starts and the graph is translated. */
public final class WeightLoader implements AutoCloseable {
    private static final int MOST_THREADS = 4;

    private final Map<String, Future<NativeMemory>> loading = new HashMap<>();
    private final ExecutorService threads;
    private final boolean blank;

    /**
     * Starts to read the numbers of floating-point tensors, in the order given.
     *
     * @param place where they lie; nothing is read of weights without numbers
     */
    public WeightLoader(Collection<OnnxTensor> tensors, WeightPlace place) {
        this.blank = place.blank();
        Path directory = place.directory(tensors.stream()
                .mapToLong(tensor -> (long) tensor.length() * tensor.type().width())
                .sum());
        int cores = Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
        this.threads = Executors.newFixedThreadPool(cores, task -> {
            Thread thread = new Thread(task, "weight-loader");
            thread.setDaemon(true);
            return thread;
        });
        for (OnnxTensor tensor : blank ? List.<OnnxTensor>of() : tensors) {
            loading.computeIfAbsent(tensor.name(), name -> threads.submit(() -> tensor.load(directory)));
        }
    }

    /**
     * Returns a tensor's numbers as a new array; one that was not named in the beginning, or was taken before, is read now.
     *
     * @throws dev.samediff.adapters.InvalidInputException if they cannot be read
     */
    public INDArray take(OnnxTensor tensor) {
        if (blank && tensor.length() > 0) {
            return BlankArrays.of(tensor.type(), tensor.shape());
        }
        Future<NativeMemory> memory = loading.remove(tensor.name());
        if (memory == null) {
            return tensor.toArray();
        }
        try {
            return tensor.toArray(memory.get());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted while weights were read");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /** Gives back what nobody took. */
    @Override
    public void close() {
        threads.shutdownNow();
        List<Future<NativeMemory>> left = new ArrayList<>(loading.values());
        loading.clear();
        for (Future<NativeMemory> memory : left) {
            if (!memory.cancel(false)) {
                release(memory);
            }
        }
    }

    private static void release(Future<NativeMemory> memory) {
        try {
            memory.get().release();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | CancellationException nothingWasRead) {
            // nothing to give back
        }
    }
}
