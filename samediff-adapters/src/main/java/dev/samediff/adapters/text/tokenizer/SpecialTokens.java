package dev.samediff.adapters.text.tokenizer;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import java.util.Optional;

/**
 * Which tokens pad, end and begin a sequence.
 *
 * <p>{@link #none} leaves it to the files: {@code tokenizer_config.json} and {@code special_tokens_map.json} beside the {@code
 * tokenizer.json} if they are there, {@code generation_config.json} for end and beginning, then the padding section, then usual names ({@code [PAD]}, {@code <pad>}; {@code </s>}, {@code <|endoftext|>}, {@code
 * [SEP]}; ...). Without any padding token the end token pads: padding is masked everywhere.
 *
 * @param pad padding token, such as {@code <pad>}
 * @param eos end token, such as {@code </s>}
 * @param bos beginning token, such as {@code <s>}
 */
public record SpecialTokens(Optional<String> pad, Optional<String> eos, Optional<String> bos) {
    static final List<String> PAD_NAMES =
            List.of("[PAD]", "<pad>", "<|pad|>", "<PAD>", "<|padding|>", "<|finetune_right_pad_id|>", "<unk_pad>");
    static final List<String> EOS_NAMES = List.of(
            "</s>", "<eos>", "<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "<|im_end|>", "<EOS>", "[EOS]", "[SEP]");
    static final List<String> BOS_NAMES =
            List.of("<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "<BOS>", "[BOS]", "[CLS]");

    /** Nothing is given: the files and usual names decide. */
    public static SpecialTokens none() {
        return new SpecialTokens(Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** This end token; padding and beginning are left to the files. */
    public static SpecialTokens eos(String token) {
        return none().withEos(token);
    }

    /** The same with this padding token. */
    public SpecialTokens withPad(String token) {
        return new SpecialTokens(Optional.of(token), eos, bos);
    }

    /** The same with this end token. */
    public SpecialTokens withEos(String token) {
        return new SpecialTokens(pad, Optional.of(token), bos);
    }

    /** The same with this beginning token. */
    public SpecialTokens withBos(String token) {
        return new SpecialTokens(pad, eos, Optional.of(token));
    }

    /** What {@code other} says, for what is not given here. */
    SpecialTokens or(SpecialTokens other) {
        return new SpecialTokens(pad.or(other::pad), eos.or(other::eos), bos.or(other::bos));
    }

    /** Id of {@code given}, which must exist, or of the first usual name that exists. */
    static Optional<Integer> find(
            Optional<String> given, List<String> names, TokenizerJson json, String role, String source) {
        if (given.isPresent()) {
            Integer id = json.ids().get(given.get());
            if (id == null) {
                throw new InvalidInputException(source + " has no token `" + given.get() + "`, which was given as the "
                        + role + " token; " + present(json));
            }
            return Optional.of(id);
        }
        return names.stream()
                .filter(json.ids()::containsKey)
                .map(json.ids()::get)
                .findFirst();
    }

    static String present(TokenizerJson json) {
        List<String> bracketed = json.ids().keySet().stream()
                .filter(t -> t.length() > 2
                        && ((t.startsWith("<") && t.endsWith(">")) || (t.startsWith("[") && t.endsWith("]"))))
                .sorted()
                .limit(20)
                .toList();
        return bracketed.isEmpty()
                ? "it has no token in <angle> or [square] brackets"
                : "its special tokens are " + String.join(", ", bracketed);
    }
}
