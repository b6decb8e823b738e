package dev.samediff.importer;

class EinsumOperatorsTest extends OperatorCases {
    @Override
    void define() {
        smooth("outer", 13, "Einsum", reals(3), reals(4), "equation", "i,j->ij");
        smooth("scores", 13, "Einsum", reals(2, 2, 4, 3), reals(2, 2, 5, 3), "equation", "bhid,bhjd->bhij");
        smooth("two free", 13, "Einsum", reals(2, 4, 3), reals(3, 2), "equation", "btd,de -> bte");
        smooth("transposed result", 13, "Einsum", reals(2, 4, 3), reals(2, 3, 5), "equation", "bij,bjk->kbi");
        smooth("element-wise", 13, "Einsum", reals(2, 3), reals(2, 3), "equation", "ij,ij->ij");
        smooth("ellipsis", 13, "Einsum", reals(2, 3, 4), reals(2, 4, 5), "equation", "...ij,...jk->...ik");
        smooth("ellipsis of one", 13, "Einsum", reals(2, 2, 3, 4), reals(4, 5), "equation", "...j,jk->...k");
        smooth("summed in one", 13, "Einsum", reals(2, 3), reals(3, 4), "equation", "ij,jk->k");
        smooth("one operand", 13, "Einsum", reals(2, 3, 4), "equation", "ijk->kij");
        smooth("one operand summed", 13, "Einsum", reals(2, 3), "equation", "ij->i");
        smooth("three operands", 13, "Einsum", reals(2, 3), reals(3, 4), reals(4, 2), "equation", "ij,jk,kl->il");
        smooth("implicit", 13, "Einsum", reals(2, 3), reals(3, 4), "equation", "ij,jk");
        smooth("all summed", 13, "Einsum", reals(2, 3), reals(2, 3), "equation", "ij,ij->");
        smooth("batch of size one", 13, "Einsum", reals(1, 2, 3), reals(4, 3, 2), "equation", "bij,bjk->bik");
    }
}
