package main

import "github.com/mmcloughlin/avo/reg"

// genCPU writes the instructions that Go has no function for.
func genCPU(g *gen) {
	g.Function("cpuid")
	g.Attributes(attrNoSplit)
	g.SignatureExpr("func(eax, ecx uint32) (a, b, c, d uint32)")
	g.Load(g.Param("eax"), reg.EAX)
	g.Load(g.Param("ecx"), reg.ECX)
	g.CPUID()
	g.Store(reg.EAX, g.Return("a"))
	g.Store(reg.EBX, g.Return("b"))
	g.Store(reg.ECX, g.Return("c"))
	g.Store(reg.EDX, g.Return("d"))
	g.RET()

	g.Function("xgetbv")
	g.Attributes(attrNoSplit)
	g.SignatureExpr("func() uint32")
	g.XORL(reg.ECX, reg.ECX)
	g.XGETBV()
	g.Store(reg.EAX, g.ReturnIndex(0))
	g.RET()
}
