package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/simd"
)

// The vector kernels of the elementwise operators without parameters (Def.Elem): the compiler joins them into
// chains. They are for float32; other types run the reference evaluation.

func elemUnary(op simd.UnaryOp) (graph.ElemOp, bool) {
	return graph.ElemOp{Kind: graph.ElemUnary, Code: uint8(op)}, true
}

func elemBinary(op simd.BinaryOp) (graph.ElemOp, bool) {
	return graph.ElemOp{Kind: graph.ElemBinary, Code: uint8(op)}, true
}

func elemCompare(op simd.CmpOp) (graph.ElemOp, bool) {
	return graph.ElemOp{Kind: graph.ElemCompare, Code: uint8(op)}, true
}

func elemAbs(*graph.Node) (graph.ElemOp, bool)        { return elemUnary(simd.Abs) }
func elemNeg(*graph.Node) (graph.ElemOp, bool)        { return elemUnary(simd.Neg) }
func elemExp(*graph.Node) (graph.ElemOp, bool)        { return elemUnary(simd.Exp) }
func elemLog(*graph.Node) (graph.ElemOp, bool)        { return elemUnary(simd.Log) }
func elemSqrt(*graph.Node) (graph.ElemOp, bool)       { return elemUnary(simd.Sqrt) }
func elemReciprocal(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Reciprocal) }
func elemFloor(*graph.Node) (graph.ElemOp, bool)      { return elemUnary(simd.Floor) }
func elemCeil(*graph.Node) (graph.ElemOp, bool)       { return elemUnary(simd.Ceil) }
func elemRound(*graph.Node) (graph.ElemOp, bool)      { return elemUnary(simd.Round) }
func elemSign(*graph.Node) (graph.ElemOp, bool)       { return elemUnary(simd.Sign) }
func elemErf(*graph.Node) (graph.ElemOp, bool)        { return elemUnary(simd.Erf) }
func elemRelu(*graph.Node) (graph.ElemOp, bool)       { return elemUnary(simd.Relu) }

func elemAdd(*graph.Node) (graph.ElemOp, bool)      { return elemBinary(simd.Add) }
func elemSub(*graph.Node) (graph.ElemOp, bool)      { return elemBinary(simd.Sub) }
func elemMul(*graph.Node) (graph.ElemOp, bool)      { return elemBinary(simd.Mul) }
func elemDiv(*graph.Node) (graph.ElemOp, bool)      { return elemBinary(simd.Div) }
func elemPow(*graph.Node) (graph.ElemOp, bool)      { return elemBinary(simd.Pow) }
func elemReluGrad(*graph.Node) (graph.ElemOp, bool) { return elemBinary(simd.ReluGrad) }

func elemEqual(*graph.Node) (graph.ElemOp, bool)          { return elemCompare(simd.Equal) }
func elemGreater(*graph.Node) (graph.ElemOp, bool)        { return elemCompare(simd.Greater) }
func elemLess(*graph.Node) (graph.ElemOp, bool)           { return elemCompare(simd.Less) }
func elemGreaterOrEqual(*graph.Node) (graph.ElemOp, bool) { return elemCompare(simd.GreaterOrEqual) }
func elemLessOrEqual(*graph.Node) (graph.ElemOp, bool)    { return elemCompare(simd.LessOrEqual) }

func elemWhere(*graph.Node) (graph.ElemOp, bool) { return graph.ElemOp{Kind: graph.ElemSelect}, true }

// actRelu lets matrix products and convolutions apply Relu themselves.
func actRelu(*graph.Node) (graph.Act, bool) { return graph.Act{Code: uint8(simd.ActRelu)}, true }
