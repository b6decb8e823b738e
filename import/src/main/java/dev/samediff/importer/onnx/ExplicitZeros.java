package dev.samediff.importer.onnx;

import onnx.Onnx.AttributeProto;
import org.nd4j.shade.protobuf.ByteString;
import org.nd4j.shade.protobuf.UnknownFieldSet;

/**
 * Makes attributes that are zero, or an empty text, be written.
 *
 * <p>The message classes of nd4j do not tell a zero from an absent number and leave both out; to ONNX Runtime an attribute
 * without its number is as if it were not there, and has its default: {@code axis = 0} of Softmax would become -1.
 */
final class ExplicitZeros {
    private ExplicitZeros() {}

    /** Adds the number that would be left out, as a field the classes do not know. */
    static void keep(AttributeProto.Builder attribute) {
        UnknownFieldSet.Field.Builder field = UnknownFieldSet.Field.newBuilder();
        switch (attribute.getType()) {
            case INT -> {
                if (attribute.getI() == 0) {
                    add(attribute, AttributeProto.I_FIELD_NUMBER, field.addVarint(0));
                }
            }
            case FLOAT -> {
                if (Float.floatToRawIntBits(attribute.getF()) == 0) {
                    add(attribute, AttributeProto.F_FIELD_NUMBER, field.addFixed32(0));
                }
            }
            case STRING -> {
                if (attribute.getS().isEmpty()) {
                    add(attribute, AttributeProto.S_FIELD_NUMBER, field.addLengthDelimited(ByteString.EMPTY));
                }
            }
            default -> {
                // lists and messages are written as they are
            }
        }
    }

    private static void add(AttributeProto.Builder attribute, int number, UnknownFieldSet.Field.Builder field) {
        UnknownFieldSet.Builder fields = UnknownFieldSet.newBuilder(attribute.getUnknownFields());
        attribute.setUnknownFields(fields.addField(number, field.build()).build());
    }
}
