package dev.samediff.adapters.text.table;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.GivenFile;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.io.FilterReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * A table of comma-separated values as RFC 4180 has it: a line of names, then rows of as many fields; a field in quotes may
 * hold commas, line breaks and doubled quotes. Files named {@code .tsv} are tab-separated values as IANA has them, and as GLUE's are: a field
 * holds no tab and no line break, and quotes mean nothing. UTF-8.
 *
 * @param file where it was read
 * @param names names of the columns
 * @param rows the rows
 */
public record CsvRows(Path file, List<String> names, List<Row> rows) {
    private static final long MOST_BYTES = 1L << 29; // the rows are kept in memory
    private static final Pattern LINE = Pattern.compile("line:? ?(\\d[\\d,]*\\d|\\d)");
    private static final int LONGEST_ROW = 1 << 24;
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    /**
     * One row.
     *
     * @param line number of the line in which it ends, from 1
     * @param fields as many as there are names
     */
    public record Row(long line, List<String> fields) {}

    /** Returns whether a file is a table by its name: {@code .csv} or {@code .tsv}. */
    public static boolean isTable(Path file) {
        return file.toString().toLowerCase(Locale.ROOT).endsWith(".csv") || isTabbed(file);
    }

    private static boolean isTabbed(Path file) {
        return file.toString().toLowerCase(Locale.ROOT).endsWith(".tsv");
    }

    private static String kind(Path file) {
        return isTabbed(file) ? "a table of tab-separated values" : "a table of comma-separated values";
    }

    /**
     * Reads a file.
     *
     * @throws InvalidInputException if it is no such table; the message says which line, what is there and what was expected
     */
    public static CsvRows read(Path file) {
        try {
            GivenFile.require(file, MOST_BYTES, kind(file));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
        List<Row> rows = new ArrayList<>();
        List<String> names = read(file, (columns, row) -> rows.add(row));
        return new CsvRows(file, names, List.copyOf(rows));
    }

    /** Takes rows one by one. */
    @FunctionalInterface
    public interface Sink {
        /**
         * Takes a row.
         *
         * @param names names of the columns
         * @param row the row
         */
        void accept(List<String> names, Row row);
    }

    /**
     * Hands the rows of a file on, one by one, so that it may have more of them than fit into memory.
     *
     * @return names of the columns
     * @throws InvalidInputException if it is no such table; the message says which line, what is there and what was expected
     */
    public static List<String> read(Path file, Sink sink) {
        GivenFile.require(file, kind(file));
        CSVFormat.Builder format = CSVFormat.RFC4180.builder().setIgnoreEmptyLines(true);
        if (isTabbed(file)) {
            format.setDelimiter('\t').setQuote(null);
        }
        try (RowReader reader = new RowReader(
                        file,
                        new InputStreamReader(
                                Files.newInputStream(file),
                                StandardCharsets.UTF_8
                                        .newDecoder()
                                        .onMalformedInput(CodingErrorAction.REPORT)
                                        .onUnmappableCharacter(CodingErrorAction.REPORT)));
                CSVParser parser = CSVParser.builder()
                        .setReader(reader)
                        .setFormat(format.get())
                        .get()) {
            return read(file, reader, parser, sink);
        } catch (CharacterCodingException e) {
            throw new InvalidInputException(file + " is not UTF-8 text; save the table as UTF-8", e);
        } catch (CSVException e) {
            throw broken(file, e);
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof CharacterCodingException) {
                throw new InvalidInputException(file + " is not UTF-8 text; save the table as UTF-8", e);
            }
            if (e.getCause() instanceof CSVException) {
                throw broken(file, e.getCause());
            }
            throw e;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private static InvalidInputException broken(Path file, Exception e) {
        // the parser's words, such as "(startline 2) EOF reached before encapsulated token finished"
        Matcher line = LINE.matcher(String.valueOf(e.getMessage()));
        boolean isOpen = String.valueOf(e.getMessage()).contains("EOF");
        return new InvalidInputException(
                file + (line.find() ? ", line " + line.group(1) + "," : "") + " is not " + kind(file) + ": "
                        + (isOpen
                                ? "a quotation mark opens a field there, and none closes it"
                                : "something stands between the quotation mark that ends a field and the next comma")
                        + "; a quotation mark in a field in quotes is written twice",
                e);
    }

    private static List<String> read(Path file, RowReader reader, CSVParser parser, Sink sink) {
        List<String> names = List.of();
        boolean any = false;
        for (CSVRecord record : parser) {
            reader.rowEnds();
            List<String> fields = record.toList();
            long line = parser.getCurrentLineNumber();
            if (names.isEmpty()) {
                names = names(file, fields);
            } else if (fields.size() != names.size()) {
                throw new InvalidInputException(file + ", line " + line + ": has " + fields.size()
                        + " fields, the first line names "
                        + names.size() + " (" + JsonFiles.excerpt(String.join(", ", names))
                        + (isTabbed(file) ? ") | " : "); put fields with commas into quotes | ")
                        + JsonFiles.excerpt(String.join(",", fields)));
            } else {
                sink.accept(names, new Row(line, fields));
                any = true;
            }
        }
        if (!any) {
            throw new InvalidInputException(
                    file + " holds no example: expected a line with the names of the columns, and rows after it");
        }
        return names;
    }

    /** Refuses rows without an end: the parser keeps a row in memory, and a quotation mark that nobody closes makes one of a whole file. */
    private static final class RowReader extends FilterReader {
        private final Path file;
        private long sinceRow;

        RowReader(Path file, Reader in) {
            super(in);
            this.file = file;
        }

        void rowEnds() {
            sinceRow = 0;
        }

        @Override
        public int read() throws IOException {
            char[] one = new char[1];
            return read(one, 0, 1) < 0 ? -1 : one[0];
        }

        @Override
        public int read(char[] into, int from, int length) throws IOException {
            int count = super.read(into, from, length);
            sinceRow += Math.max(0, count);
            if (sinceRow > LONGEST_ROW) {
                throw new InvalidInputException(file + " has a row of more than " + LONGEST_ROW
                        + " characters; is there a quotation mark that nobody closes?");
            }
            return count;
        }
    }

    private static List<String> names(Path file, List<String> fields) {
        List<String> names = new ArrayList<>(fields);
        if (!names.get(0).isEmpty() && names.get(0).charAt(0) == BYTE_ORDER_MARK) {
            names.set(0, names.get(0).substring(1));
        }
        Set<String> known = new HashSet<>();
        for (String name : names) {
            if (!known.add(name)) {
                throw new InvalidInputException(
                        file + ", line 1: names the column `" + JsonFiles.excerpt(name) + "` twice");
            }
        }
        return List.copyOf(names);
    }

    /**
     * Returns the number of the column that has one of these names.
     *
     * @throws InvalidInputException if none or several have
     */
    public int column(List<String> oneOf) {
        List<String> found = names.stream().filter(oneOf::contains).toList();
        if (found.size() != 1) {
            throw new InvalidInputException(file + " has the columns " + JsonFiles.excerpt(String.join(", ", names))
                    + "; expected one named " + String.join(" or ", oneOf)
                    + (found.isEmpty() ? "" : ", and there are " + found.size()));
        }
        return names.indexOf(found.get(0));
    }
}
