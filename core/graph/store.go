package graph

import (
	"slices"
	"strconv"

	"github.com/weft-ml/weft/core/tensor"
)

// Store holds the data of variables, by name, in canonical (row-major) layout. Graphs that name
// the same variables share their data through it; a program keeps private packed copies and compares version counters.
type Store struct {
	vars  map[string]*Cell
	order []*Cell
	alloc *tensor.Allocator // nil: the data lies on Go's heap
	owned []*Cell           // whose memory is the allocator's and goes back to it in Close
}

// Cell is one variable's data.
type Cell struct {
	Name    string
	Tensor  *tensor.Tensor
	Version uint64 // grows whenever the elements change
}

// NewStore returns an empty store.
func NewStore() *Store { return &Store{vars: map[string]*Cell{}} }

// NewStoreIn returns an empty store whose data comes from an allocator, under its budget; Close gives it back.
func NewStoreIn(a *tensor.Allocator) *Store { return &Store{vars: map[string]*Cell{}, alloc: a} }

// Link adds the variables of another store by reference: both stores have the same data from then on. A variable of that name
// must not be there yet.
func (s *Store) Link(from *Store) {
	for _, c := range from.order {
		s.LinkAs(c.Name, c)
	}
}

// LinkAs adds the data of a variable, which stays shared, under a name of its own.
func (s *Store) LinkAs(name string, c *Cell) {
	if s.vars[name] != nil {
		tensor.Fail("Store.Link", "variable ", strconv.Quote(name), " is there already")
	}
	s.vars[name] = c
	s.order = append(s.order, c)
}

// Close gives the memory of the store's own variables back to its allocator and forgets them all.
func (s *Store) Close() {
	for _, c := range s.owned {
		s.alloc.Free(c.Tensor.Bytes())
	}
	s.vars, s.order, s.owned = map[string]*Cell{}, nil, nil
}

// Remove forgets a variable, and gives its memory back when it is the store's own.
func (s *Store) Remove(name string) {
	c := s.vars[name]
	if c == nil {
		return
	}
	same := func(x *Cell) bool { return x == c }
	delete(s.vars, name)
	s.order = slices.DeleteFunc(s.order, same)
	if slices.Contains(s.owned, c) {
		s.owned = slices.DeleteFunc(s.owned, same)
		s.alloc.Free(c.Tensor.Bytes())
	}
}

// Init adds the graph's variables that the store does not have yet, with their initial elements, and checks that
// those it has agree in type and shape.
func (s *Store) Init(g *Graph) error {
	for _, v := range g.Vars {
		c := s.vars[v.Name]
		if c == nil {
			if _, err := s.add(v.Name, v.Init); err != nil {
				return err
			}
			continue
		}
		if c.Tensor.DType() != v.DType || !tensor.SameShape(c.Tensor.Shape(), v.Shape) {
			return &tensor.Error{Op: "Store", Msg: "variable " + strconv.Quote(v.Name) + " of " + c.Tensor.DType().String() + " is used as " + v.DType.String(), Shapes: [][]int{c.Tensor.Shape(), v.Shape}}
		}
	}
	return nil
}

// add adds a variable with a copy of t.
func (s *Store) add(name string, t *tensor.Tensor) (*Cell, error) {
	c := &Cell{Name: name, Version: 1}
	if s.alloc == nil || t.DType() == tensor.String {
		c.Tensor = t.Clone()
	} else {
		m, err := s.alloc.NewTensor(t.DType(), t.Shape()...)
		if err != nil {
			return nil, err
		}
		tensor.CopyTo(m, t)
		c.Tensor = m
		s.owned = append(s.owned, c)
	}
	s.vars[name] = c
	s.order = append(s.order, c)
	return c, nil
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
		_, err := s.add(name, t)
		return err
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
