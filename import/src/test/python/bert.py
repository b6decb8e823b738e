"""A BERT encoder in plain PyTorch, with Hugging Face's module names.

Module names (and so parameter names) are those of `BertForMaskedLM` and `BertForSequenceClassification`:

    bert.embeddings.{word,position,token_type}_embeddings, bert.embeddings.LayerNorm,
    bert.encoder.layer.N.{attention.self.{query,key,value}, attention.output.{dense,LayerNorm}, intermediate.dense,
    output.{dense,LayerNorm}}, cls.predictions.{transform.{dense,LayerNorm}, decoder}, bert.pooler.dense, classifier

As in transformers, the bias of cls.predictions.decoder is the parameter `cls.predictions.bias`, so an exported bias
names the module above the linear layer; and the pooler and the classifier see [batch, dim], which torch.onnx exports
as Gemm with transB = 1.

Paper: Devlin et al. 2018, "BERT: Pre-training of Deep Bidirectional Transformers".
"""

import math
from dataclasses import dataclass

import torch
from torch import nn

MASKED = torch.finfo(torch.float32).min


@dataclass(frozen=True)
class BertConfig:
    """The sizes of a model and its head.

    labels  0: the masked-language-model head; more: that many classes of sequence classification.
    tied    Only with labels = 0. True: cls.predictions.decoder uses the word embedding's weight.
    """

    vocab: int
    context: int
    dim: int
    hidden: int
    layers: int
    heads: int
    labels: int = 0
    tied: bool = False

    def __post_init__(self):
        if self.dim % self.heads != 0:
            raise ValueError(f"dim {self.dim} is not a multiple of heads {self.heads}")


class Embeddings(nn.Module):
    """Sum of word, position and segment embedding, normalised."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab, config.dim)
        self.position_embeddings = nn.Embedding(config.context, config.dim)
        self.token_type_embeddings = nn.Embedding(2, config.dim)
        self.LayerNorm = nn.LayerNorm(config.dim, eps=1e-12)
        self.register_buffer("position_ids", torch.arange(config.context).expand((1, -1)), persistent=False)

    def forward(self, input_ids, token_type_ids):
        position_ids = self.position_ids[:, : input_ids.size(1)]
        words = self.word_embeddings(input_ids) + self.token_type_embeddings(token_type_ids)
        return self.LayerNorm(words + self.position_embeddings(position_ids))


class SelfAttention(nn.Module):
    """Multi-head attention without the output projection; mask is added to the scores."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.heads, self.head_dim = config.heads, config.dim // config.heads
        self.query = nn.Linear(config.dim, config.dim)
        self.key = nn.Linear(config.dim, config.dim)
        self.value = nn.Linear(config.dim, config.dim)

    def forward(self, x, mask):
        query, key, value = (self.split_heads(part(x)) for part in (self.query, self.key, self.value))
        scores = query @ key.transpose(-1, -2) / math.sqrt(self.head_dim) + mask
        mixed = (torch.softmax(scores, dim=-1) @ value).permute(0, 2, 1, 3).contiguous()
        return mixed.view(mixed.size()[:-2] + (self.heads * self.head_dim,))

    def split_heads(self, x):
        """[batch, seq, dim] -> [batch, heads, seq, dim / heads]"""
        return x.view(x.size()[:-1] + (self.heads, self.head_dim)).permute(0, 2, 1, 3)


class ResidualOutput(nn.Module):
    """LayerNorm(dense(x) + residual)"""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)
        self.LayerNorm = nn.LayerNorm(outputs, eps=1e-12)

    def forward(self, x, residual):
        return self.LayerNorm(self.dense(x) + residual)


class Attention(nn.Module):
    """Self-attention, projected and added to its input."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.self = SelfAttention(config)
        self.output = ResidualOutput(config.dim, config.dim)

    def forward(self, x, mask):
        return self.output(self.self(x, mask), x)


class Intermediate(nn.Module):
    """The widening half of the feed-forward part, with the exact (erf) GELU."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.dense = nn.Linear(config.dim, config.hidden)

    def forward(self, x):
        return nn.functional.gelu(self.dense(x))


class Layer(nn.Module):
    """Attention and feed-forward, each added to its input and normalised."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.attention = Attention(config)
        self.intermediate = Intermediate(config)
        self.output = ResidualOutput(config.hidden, config.dim)

    def forward(self, x, mask):
        x = self.attention(x, mask)
        return self.output(self.intermediate(x), x)


class Encoder(nn.Module):
    """The layers, one after the other."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.layer = nn.ModuleList(Layer(config) for _ in range(config.layers))

    def forward(self, x, mask):
        for layer in self.layer:
            x = layer(x, mask)
        return x


class Pooler(nn.Module):
    """tanh(dense(first token)): [batch, seq, dim] -> [batch, dim]"""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.dense = nn.Linear(config.dim, config.dim)

    def forward(self, x):
        return torch.tanh(self.dense(x[:, 0]))


class BertModel(nn.Module):
    """Embeddings, encoder and, for classification, the pooler."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.pooler = Pooler(config) if config.labels else None

    def forward(self, input_ids, attention_mask, token_type_ids):
        x = self.embeddings(input_ids, token_type_ids)
        mask = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * MASKED
        x = self.encoder(x, mask)
        return x if self.pooler is None else self.pooler(x)


class Transform(nn.Module):
    """dense, GELU and LayerNorm before the decoder."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.dense = nn.Linear(config.dim, config.dim)
        self.LayerNorm = nn.LayerNorm(config.dim, eps=1e-12)

    def forward(self, x):
        return self.LayerNorm(nn.functional.gelu(self.dense(x)))


class Predictions(nn.Module):
    """The masked-language-model head; its decoder's bias is a parameter of this module."""

    def __init__(self, config: BertConfig, words: nn.Parameter):
        super().__init__()
        self.transform = Transform(config)
        self.bias = nn.Parameter(torch.zeros(config.vocab))
        self.decoder = nn.Linear(config.dim, config.vocab)
        self.decoder.bias = self.bias
        if config.tied:
            self.decoder.weight = words

    def forward(self, x):
        return self.decoder(self.transform(x))


class MlmHead(nn.Module):
    """Only a level of names: cls.predictions."""

    def __init__(self, config: BertConfig, words: nn.Parameter):
        super().__init__()
        self.predictions = Predictions(config, words)

    def forward(self, x):
        return self.predictions(x)


class Bert(nn.Module):
    """input_ids, attention_mask, token_type_ids [batch, seq] int64 -> logits [batch, seq, vocab] or [batch, labels]."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.config = config
        self.bert = BertModel(config)
        if config.labels:
            self.classifier = nn.Linear(config.dim, config.labels)
        else:
            self.cls = MlmHead(config, self.bert.embeddings.word_embeddings.weight)

    def forward(self, input_ids, attention_mask, token_type_ids):
        x = self.bert(input_ids, attention_mask, token_type_ids)
        return self.classifier(x) if self.config.labels else self.cls(x)
