package random_test

import (
	"fmt"

	"github.com/weft-ml/weft/core/random"
)

// The same seed and stream give the same numbers everywhere, and a position can be sought.
func Example() {
	s := random.New(1, random.Derive(3, 14)) // for example epoch 3, sample 14
	s.Uint32()
	second := s.Uint32()
	s.Seek(1)
	fmt.Println(s.Uint32() == second, s.Pos())
	// Output: true 2
}
