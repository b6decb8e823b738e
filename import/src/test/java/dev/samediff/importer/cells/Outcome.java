package dev.samediff.importer.cells;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.OnnxImporter;
import dev.samediff.importer.folding.HostFolding;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import onnx.Onnx.TensorProto;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What became of a cell in each way of giving its numbers.
 *
 * @param cell the cell
 * @param reference what ONNX Runtime says
 * @param refusals why it was refused, by the ways in which it was
 * @param faults what was wrong, by the ways in which it was
 * @param right in how many ways it was right
 */
record Outcome(
        Cell cell,
        Reference reference,
        Map<CellFile.Mode, String> refusals,
        Map<CellFile.Mode, String> faults,
        int right) {
    private static final List<TensorProto.DataType> THREE =
            List.of(TensorProto.DataType.FLOAT, TensorProto.DataType.INT64, TensorProto.DataType.BOOL);

    /** Imports and runs the cell in every way that its situation has. */
    static Outcome of(Cell cell, Path folder) {
        Reference reference = Reference.of(cell);
        Map<CellFile.Mode, String> refusals = new EnumMap<>(CellFile.Mode.class);
        Map<CellFile.Mode, String> faults = new EnumMap<>(CellFile.Mode.class);
        int right = 0;
        for (CellFile.Mode mode : CellFile.Mode.values()) {
            if (!isTried(cell, reference, mode)) {
                continue;
            }
            if (Boolean.getBoolean("cells.trace")) {
                System.err.println(cell.title() + ", " + mode);
            }
            try {
                String fault = fault(reference, new CellFile(cell, mode), folder);
                if (fault == null) {
                    right++;
                } else {
                    faults.put(mode, fault);
                }
            } catch (InvalidInputException e) {
                refusals.put(mode, reason(e));
            }
        }
        return new Outcome(cell, reference, refusals, faults, right);
    }

    /**
     * Infinities come as inputs only; tensors without elements are only met while importing, SameDiff has none. What does not
     * depend on the type, known sizes and constants of a graph, is tried on three types.
     */
    private static boolean isTried(Cell cell, Reference reference, CellFile.Mode mode) {
        boolean stored = mode == CellFile.Mode.STORED;
        boolean infinite = cell.situation().startsWith(Row.SPECIAL);
        boolean empty = Stream.concat(
                        cell.inputs().stream().map(Cell.Input::numbers).filter(Objects::nonNull),
                        reference.outputs().stream())
                .anyMatch(numbers -> numbers.count() == 0);
        boolean folded = HostFolding.names().contains(cell.operator());
        boolean each = mode == CellFile.Mode.OPEN || (stored && folded) || THREE.contains(cell.type());
        return each
                && reference.verdict() != Reference.Verdict.NOT_ONNX
                && !(infinite && stored)
                && (!empty || (stored && folded));
    }

    private static String reason(InvalidInputException e) {
        String message = String.valueOf(e.getMessage());
        return message.contains("cannot be translated: it is not valid ONNX")
                ? "INTERNAL " + message
                : message.substring(message.indexOf(": ") + 2);
    }

    private static @org.jspecify.annotations.Nullable String fault(Reference reference, CellFile file, Path folder) {
        ImportedModel model = OnnxImporter.load(write(file, folder));
        Map<String, INDArray> actual;
        List<String> names = IntStream.range(0, file.cell().outputs())
                .mapToObj(i -> "out" + i)
                .toList();
        try {
            actual = model.graph().output(file.feeds(), new ArrayList<>(names));
        } catch (RuntimeException e) {
            return "fails when it runs: " + e;
        }
        if (reference.verdict() != Reference.Verdict.COMPUTED) {
            return null;
        }
        for (int i = 0; i < names.size(); i++) {
            Numbers expected = reference.outputs().get(i);
            double tolerance = tolerance(file.cell().type(), expected.type());
            String difference = Numbers.of(actual.get(names.get(i))).difference(expected, tolerance / 10, tolerance);
            if (difference != null) {
                return "output " + i + ": " + difference;
            }
        }
        return null;
    }

    /** ONNX Runtime rounds half precision after every step, or widens it as the importer does. */
    private static double tolerance(TensorProto.DataType varied, TensorProto.DataType result) {
        if (varied == TensorProto.DataType.BFLOAT16 || result == TensorProto.DataType.BFLOAT16) {
            return 2e-2;
        }
        return varied == TensorProto.DataType.FLOAT16 || result == TensorProto.DataType.FLOAT16 ? 5e-3 : 1e-5;
    }

    private static Path write(CellFile file, Path folder) {
        try {
            return Files.write(folder.resolve("cell.onnx"), file.model().toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
