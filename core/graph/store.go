package graph

import (
	"strconv"

	"github.com/weft-ml/weft/core/tensor"
)

// Store holds the data of variables, by name, in canonical (row-major) layout. Graphs that name
// the same variables share their data through it; a program keeps private packed copies and compares version counters.
type Store struct {
	vars  map[string]*Cell
	order []*Cell
}

// Cell is one variable's data.
type Cell struct {
	Name    string
	Tensor  *tensor.Tensor
	Version uint64 // grows whenever the elements change
}

// NewStore returns an empty store.
func NewStore() *Store { return &Store{vars: map[string]*Cell{}} }

// Init adds the graph's variables that the store does not have yet, with their initial elements, and checks that
// those it has agree in type and shape.
func (s *Store) Init(g *Graph) error {
	for _, v := range g.Vars {
		c := s.vars[v.Name]
		if c == nil {
			s.add(v.Name, v.Init.Clone())
			continue
		}
		if c.Tensor.DType() != v.DType || !tensor.SameShape(c.Tensor.Shape(), v.Shape) {
			return &tensor.Error{Op: "Store", Msg: "variable " + strconv.Quote(v.Name) + " of " + c.Tensor.DType().String() + " is used as " + v.DType.String(), Shapes: [][]int{c.Tensor.Shape(), v.Shape}}
		}
	}
	return nil
}

func (s *Store) add(name string, t *tensor.Tensor) *Cell {
	c := &Cell{Name: name, Tensor: t, Version: 1}
	s.vars[name] = c
	s.order = append(s.order, c)
	return c
}

// Cell returns the named variable's cell, nil when there is none.
func (s *Store) Cell(name string) *Cell { return s.vars[name] }

// Get returns the named variable's data, shared with the store, nil when there is none.
func (s *Store) Get(name string) *tensor.Tensor {
	if c := s.vars[name]; c != nil {
		return c.Tensor
	}
	return nil
}

// Set copies the elements of t into the named variable, adding it when it is new.
func (s *Store) Set(name string, t *tensor.Tensor) error {
	c := s.vars[name]
	if c == nil {
		s.add(name, t.Clone())
		return nil
	}
	if c.Tensor.DType() != t.DType() || !tensor.SameShape(c.Tensor.Shape(), t.Shape()) {
		return &tensor.Error{Op: "Store.Set", Msg: "variable " + strconv.Quote(name) + " of " + c.Tensor.DType().String() + " cannot hold " + t.DType().String(), Shapes: [][]int{c.Tensor.Shape(), t.Shape()}}
	}
	tensor.CopyTo(c.Tensor, t)
	c.Version++
	return nil
}

// Cells returns the variables in the order they were added.
func (s *Store) Cells() []*Cell { return s.order }
