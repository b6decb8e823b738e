package dev.samediff.adapters.text.tokenizer;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Hugging Face {@code tokenizer.json}, run by the Rust tokenizers library through DJL.
 *
 * <p>Works without a network: the native library lies in DJL's jar (Linux x86_64 and aarch64, macOS aarch64, Windows
 * x86_64; not macOS x86_64) and is unpacked once, 14 MB, to {@code ~/.djl.ai/tokenizers/}, or below the directory named
 * by the environment variable or system property {@code DJL_CACHE_DIR} or {@code ENGINE_CACHE_DIR}, or below {@code
 * java.io.tmpdir} if the home directory cannot be written. DJL's usage report is suppressed.
 *
 * <p>Text that spells a special token ({@code "</s>"}) becomes that token, as in every Hugging Face tokenizer. Prompt and
 * response are encoded apart; SentencePiece-like tokenizers then begin the response as they begin a word.
 *
 * <p>The library aborts its process where it finds itself in a state that its authors thought impossible. So the file is checked before
 * the library sees it ({@link TokenizerRules}); a file of which the check cannot say that no text leads there is run in a process of its own
 * ({@link TokenizersProcess}), for as long as it is open.
 *
 * <p>Holds native memory, or that process, until {@link #close}.
 */
public final class HuggingFaceTokenizer implements Tokenizer, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HuggingFaceTokenizer.class);

    private final NativeTokenizer tokenizer;
    private final String source;
    private final String model;
    private final int size;
    private final Specials specials;
    /** Whether the post-processor of the file makes the frame; otherwise another file beside it has changed it. */
    private final boolean framesAsTheFile;

    private final OptionalInt unknown;

    private HuggingFaceTokenizer(
            NativeTokenizer tokenizer, String source, TokenizerJson json, Specials specials, boolean framesAsTheFile) {
        this.tokenizer = tokenizer;
        this.source = source;
        this.model = json.model();
        this.size = json.size();
        this.specials = specials;
        this.framesAsTheFile = framesAsTheFile;
        this.unknown = optional(json.unknownToken().map(json.ids()::get));
    }

    /** The special ids, and what goes around texts. */
    private record Specials(int pad, int eos, Optional<Framing.Mark> bos, Framing framing) {}

    /** Reads a {@code tokenizer.json}; special tokens are found as {@link SpecialTokens} says. */
    public static HuggingFaceTokenizer load(Path file) {
        return load(file, SpecialTokens.none());
    }

    /** Reads a {@code tokenizer.json} with the given special tokens. */
    public static HuggingFaceTokenizer load(Path file, SpecialTokens given) {
        byte[] bytes = JsonFiles.bytes(file, "a Hugging Face tokenizer.json");
        String source = file.toString();
        TokenizerJson json = TokenizerJson.parse(bytes, source);
        StrictJson.check(bytes, source);
        TokenizerFolder folder = TokenizerFolder.of(file, json.size());
        PostProcessor written = PostProcessor.of(json.steps().get("post_processor"), json.size(), source);
        NativeTokenizer tokenizer = open(bytes, json, source);
        try {
            PostProcessor processor = written.asRunBy(tokenizer, json);
            Specials specials = specials(json, given.or(folder.named()), folder, processor, source);
            boolean framesAsTheFile = specials.framing().before().equals(processor.before())
                    && specials.framing().after().equals(processor.after());
            return new HuggingFaceTokenizer(tokenizer, source, json, specials, framesAsTheFile);
        } catch (RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    private static Specials specials(
            TokenizerJson json, SpecialTokens tokens, TokenizerFolder folder, PostProcessor processor, String source) {
        int eos = SpecialTokens.find(tokens.eos(), List.of(), json, "end", source)
                .or(() -> folder.ends().stream().findFirst())
                .or(() -> SpecialTokens.find(Optional.empty(), SpecialTokens.EOS_NAMES, json, "end", source))
                .orElseThrow(() -> new InvalidInputException(source + ": no end token found under a usual name ("
                        + String.join(", ", SpecialTokens.EOS_NAMES) + "); " + SpecialTokens.present(json)
                        + "; name it with SpecialTokens.eos(...)"));
        int pad = SpecialTokens.find(tokens.pad().or(json::padToken), SpecialTokens.PAD_NAMES, json, "padding", source)
                .orElse(eos);
        Optional<Framing.Mark> bos = SpecialTokens.find(tokens.bos(), List.of(), json, "beginning", source)
                .or(folder::bos)
                .or(() -> SpecialTokens.find(Optional.empty(), SpecialTokens.BOS_NAMES, json, "beginning", source))
                .map(id -> new Framing.Mark(id, json.tokenOf(id)));
        Framing.Mark end = new Framing.Mark(eos, json.tokenOf(eos));
        return new Specials(pad, eos, bos, folder.framing(processor, bos, end, source));
    }

    private static OptionalInt optional(Optional<Integer> id) {
        return id.map(OptionalInt::of).orElseGet(OptionalInt::empty);
    }

    private static NativeTokenizer open(byte[] bytes, TokenizerJson json, String source) {
        boolean harmless = new TokenizerRules(json, bytes, source).check();
        try {
            if (!harmless) {
                Optional<NativeTokenizer> elsewhere = TokenizersProcess.open(bytes, source);
                if (elsewhere.isPresent()) {
                    return elsewhere.get();
                }
                LOG.warn("no process can be started for the tokenizer {}; it runs in this one", source);
            }
            return TokenizersLibraryHere.open(bytes);
        } catch (InvalidInputException e) {
            throw e;
        } catch (IOException e) {
            throw new InvalidInputException("cannot read " + source + ": " + e.getMessage(), e);
        } catch (RuntimeException e) {
            throw new InvalidInputException(
                    source + " is not a tokenizer.json the tokenizers library 0.21 can read: "
                            + JsonFiles.excerpt(String.valueOf(e.getMessage())),
                    e);
        }
    }

    @Override
    public int[] encode(String text) {
        return ids(text, false);
    }

    @Override
    public int[] encodeFramed(String text) {
        if (framesAsTheFile) {
            return ids(text, true);
        }
        int[] before = specials.framing().beforeIds();
        int[] after = specials.framing().afterIds();
        int[] body = ids(text, false);
        int[] framed = Arrays.copyOf(before, before.length + body.length + after.length);
        System.arraycopy(body, 0, framed, before.length, body.length);
        System.arraycopy(after, 0, framed, before.length + body.length, after.length);
        return framed;
    }

    private int[] ids(String text, boolean framed) {
        try {
            return tokenizer.encode(text, framed);
        } catch (RuntimeException e) {
            throw refused("encode `" + JsonFiles.excerpt(text) + "`", e);
        }
    }

    @Override
    public String decode(int[] ids) {
        try {
            return tokenizer.decode(ids);
        } catch (RuntimeException e) {
            throw refused("decode " + ids.length + " tokens", e);
        }
    }

    private InvalidInputException refused(String what, RuntimeException e) {
        return e instanceof InvalidInputException sentence
                ? sentence
                : new InvalidInputException(
                        source + " cannot " + what + ": " + JsonFiles.excerpt(String.valueOf(e.getMessage()))
                                + "; use the tokenizer of the model, or one with a token for the unknown",
                        e);
    }

    @Override
    public int padId() {
        return specials.pad();
    }

    @Override
    public int eosId() {
        return specials.eos();
    }

    @Override
    public OptionalInt bosId() {
        return optional(specials.bos().map(Framing.Mark::id));
    }

    @Override
    public Optional<Framing.Mark> bosMark() {
        return specials.bos();
    }

    @Override
    public Framing framing() {
        return specials.framing();
    }

    @Override
    public OptionalInt unknownId() {
        return unknown;
    }

    @Override
    public int vocabularySize() {
        return size;
    }

    @Override
    public String describe() {
        return "Hugging Face " + model + ", " + size + " tokens, pad " + padId() + ", eos " + eosId()
                + specials.bos().map(bos -> ", bos " + bos.id()).orElse("");
    }

    /** Frees the native memory; the tokenizer cannot be used any more. */
    @Override
    public void close() {
        tokenizer.close();
    }
}
