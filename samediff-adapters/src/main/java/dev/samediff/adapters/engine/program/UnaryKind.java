package dev.samediff.adapters.engine.program;

/** A function of one number x with two parameters, alpha and beta; most use none. */
public enum UnaryKind {
    /** alpha x + beta. */
    LINEAR,
    /** The hyperbolic tangent. */
    TANH,
    /** e^x. */
    EXP,
    /** The natural logarithm. */
    LOG,
    /** The square root. */
    SQRT,
    /** x^2. */
    SQUARE,
    /** The absolute value. */
    ABS,
    /** x where positive, else alpha x. */
    RELU,
    /** x where positive, else alpha (e^x - 1). */
    ELU,
    /** 1 / (1 + e^-x). */
    SIGMOID,
    /** x / (1 + e^(-alpha x)); alpha = 1 is SiLU. */
    SWISH,
    /** 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). */
    GELU_TANH,
    /** 0.5 x (1 + erf(x / sqrt(2))). */
    GELU_ERF,
    /** log(1 + e^(alpha x)) / alpha. */
    SOFTPLUS,
    /** x tanh(softplus(x)). */
    MISH,
    /** x min(1, max(0, alpha x + beta)). */
    HARD_SWISH,
    /** min(1, max(0, alpha x + beta)). */
    HARD_SIGMOID,
    /** alpha x^beta. */
    POW,
    /** min(beta, max(alpha, x)). */
    CLIP,
    /** 1 / sqrt(x). */
    RSQRT,
    /** 1 / x. */
    RECIPROCAL,
    /** The error function. */
    ERF,
    /** The sine. */
    SIN,
    /** The cosine. */
    COS
}
