package digits

// point is a place in the digit's own box: x to the right, y down, about 0 to 1 in height.
type point struct{ x, y float64 }

// stroke is one line of the pen through its points: a Catmull-Rom spline, or straight pieces when it is sharp.
type stroke struct {
	points []point
	sharp  bool
}

// style is one way of writing a digit. weight is how often it is chosen among the digit's styles.
type style struct {
	weight  float64
	strokes []stroke
}

// habit is how hands write a digit on average, whatever the style: the pen's width against the digit's size (zeros are written
// small, so that scaling them to the common box thickens their lines), the width against the height, and how far the digit
// leans beyond what the skeletons do (x per height, negative to the right at the top).
type habit struct{ pen, width, lean float64 }

var habits = [10]habit{
	0: {1.20, 1.06, 0}, 1: {1.05, 0.95, -.08}, 2: {1.04, 1.02, .05}, 3: {1.05, 0.97, .05}, 4: {1, 1, 0},
	5: {1, 1.03, .05}, 6: {1, 0.95, .08}, 7: {1.07, 0.97, .07}, 8: {0.97, 0.97, .07}, 9: {0.97, 0.88, .08},
}

// styles are the styles of every digit: skeletons drawn by hand for this package, after the usual forms of school
// and everyday handwriting in Europe and America. The table holds no calls, so that it is data and no code.
var styles = [10][]style{
	0: {
		// an oval begun at the top
		{weight: 4, strokes: []stroke{{points: []point{{.36, .02}, {.12, .16}, {.02, .48}, {.10, .83}, {.35, .98}, {.61, .84}, {.70, .50}, {.60, .16}, {.36, .02}, {.22, .07}}}}},
		// not quite closed, ends crossing
		{weight: 2, strokes: []stroke{{points: []point{{.50, .06}, {.26, .05}, {.05, .32}, {.05, .68}, {.26, .97}, {.56, .90}, {.70, .56}, {.62, .20}, {.38, .03}, {.24, .12}}}}},
		// begun at the right, with a small hook inside
		{weight: 1, strokes: []stroke{{points: []point{{.60, .14}, {.42, .01}, {.14, .12}, {.02, .46}, {.10, .86}, {.38, .99}, {.64, .80}, {.70, .42}, {.56, .10}, {.40, .14}}}}},
		// nearly round
		{weight: 4, strokes: []stroke{{points: []point{{.50, .03}, {.18, .13}, {.02, .48}, {.17, .86}, {.50, .97}, {.84, .84}, {.97, .50}, {.83, .15}, {.50, .03}, {.34, .05}}}}},
		// leaning, slim
		{weight: 3, strokes: []stroke{{points: []point{{.56, .02}, {.28, .22}, {.10, .58}, {.12, .94}, {.34, .94}, {.58, .62}, {.66, .22}, {.54, .02}, {.40, .12}}}}},
		// lying, wide
		{weight: 1, strokes: []stroke{{points: []point{{.60, .20}, {.20, .22}, {-.04, .50}, {.22, .78}, {.66, .78}, {.96, .50}, {.74, .22}, {.50, .20}, {.36, .28}}}}},
		// begun with a tail at the top right
		{weight: 2, strokes: []stroke{{points: []point{{.72, .02}, {.44, .03}, {.16, .18}, {.04, .50}, {.14, .86}, {.40, .97}, {.64, .78}, {.68, .42}, {.54, .12}, {.34, .06}}}}},
		// slim and upright
		{weight: 1, strokes: []stroke{{points: []point{{.30, .02}, {.12, .20}, {.06, .50}, {.12, .82}, {.28, .98}, {.44, .82}, {.50, .50}, {.44, .18}, {.30, .02}, {.22, .06}}}}},
		// not closed at the top
		{weight: 2, strokes: []stroke{{points: []point{{.22, .10}, {.06, .40}, {.08, .78}, {.34, .98}, {.62, .82}, {.72, .46}, {.62, .12}, {.46, .04}}}}},
	},
	1: {
		{weight: 5, strokes: []stroke{{points: []point{{.50, .00}, {.50, .50}, {.50, 1.0}}}}},
		{weight: 2, strokes: []stroke{{points: []point{{.55, .00}, {.50, .50}, {.42, 1.0}}}}},
		{weight: 2, strokes: []stroke{{sharp: true, points: []point{{.26, .24}, {.50, .02}, {.50, 1.0}}}}},
		{weight: 1, strokes: []stroke{{sharp: true, points: []point{{.22, .26}, {.50, .02}, {.50, 1.0}}}, {sharp: true, points: []point{{.24, 1.0}, {.78, 1.0}}}}},
		{weight: 1, strokes: []stroke{{points: []point{{.34, .14}, {.48, .03}, {.50, .20}, {.49, .60}, {.50, 1.0}}}}},
	},
	2: {
		// arc, diagonal, straight base
		{weight: 4, strokes: []stroke{{points: []point{{.08, .24}, {.22, .05}, {.46, .01}, {.64, .16}, {.60, .40}, {.38, .66}, {.06, .97}}}, {points: []point{{.06, .97}, {.38, .96}, {.74, .95}}}}},
		// small loop at the foot
		{weight: 4, strokes: []stroke{{points: []point{{.06, .20}, {.24, .03}, {.52, .04}, {.62, .24}, {.50, .52}, {.28, .82}, {.10, .95}, {.03, .84}, {.16, .76}, {.36, .88}, {.58, .98}, {.80, .90}}}}},
		// round back, wavy base
		{weight: 2, strokes: []stroke{{points: []point{{.10, .16}, {.34, .00}, {.62, .12}, {.62, .38}, {.40, .66}, {.10, .92}, {.30, .88}, {.54, .98}, {.80, .93}}}}},
		// sharp foot, like a Z with a round head
		{weight: 2, strokes: []stroke{{points: []point{{.04, .12}, {.32, .01}, {.58, .10}, {.56, .34}, {.34, .64}, {.02, 1.0}}}, {sharp: true, points: []point{{.02, 1.0}, {.70, .98}}}}},
		// long base
		{weight: 3, strokes: []stroke{{points: []point{{.14, .22}, {.34, .02}, {.62, .08}, {.62, .34}, {.36, .66}, {.10, .94}}}, {points: []point{{.10, .94}, {.40, .86}, {.76, .88}, {1.10, .84}}}}},
		// a loop at the foot that leaves for a long tail
		{weight: 3, strokes: []stroke{{points: []point{{.16, .16}, {.44, .00}, {.66, .14}, {.58, .44}, {.34, .76}, {.12, .96}, {.00, .88}, {.12, .76}, {.40, .82}, {.74, .92}, {1.08, .84}}}}},
		// a head that curls in
		{weight: 2, strokes: []stroke{{points: []point{{.22, .34}, {.10, .22}, {.26, .03}, {.54, .04}, {.64, .26}, {.46, .58}, {.12, .94}}}, {points: []point{{.12, .94}, {.40, .90}, {.78, .98}}}}},
		// a cap for a head and a large round loop at the foot
		{weight: 6, strokes: []stroke{{points: []point{{.15, .25}, {.35, .03}, {.68, .10}, {.72, .38}, {.58, .70}, {.34, .94}, {.10, .96}, {.02, .80}, {.20, .68}, {.46, .78}, {.70, .94}, {.92, .92}}}}},
		{weight: 5, strokes: []stroke{{points: []point{{.20, .20}, {.45, .02}, {.72, .16}, {.70, .48}, {.52, .80}, {.24, .98}, {.02, .92}, {.04, .72}, {.26, .66}, {.54, .82}, {.80, .98}}}}},
		// head and foot both curl
		{weight: 4, strokes: []stroke{{points: []point{{.36, .36}, {.20, .28}, {.24, .08}, {.50, .00}, {.74, .16}, {.70, .48}, {.48, .80}, {.16, .96}, {.02, .84}, {.18, .72}, {.50, .84}, {.88, .90}}}}},
		// steep neck, flat loop, short tail
		{weight: 4, strokes: []stroke{{points: []point{{.22, .14}, {.46, .02}, {.62, .20}, {.56, .52}, {.40, .86}, {.16, .98}, {.02, .86}, {.16, .74}, {.42, .84}, {.66, .98}}}}},
		// hardly a base
		{weight: 3, strokes: []stroke{{points: []point{{.08, .22}, {.34, .02}, {.60, .14}, {.54, .44}, {.32, .74}, {.06, .96}}}, {sharp: true, points: []point{{.06, .96}, {.46, .97}}}}},
		// wide, low head
		{weight: 3, strokes: []stroke{{points: []point{{.02, .22}, {.28, .06}, {.60, .10}, {.70, .28}, {.44, .60}, {.10, .90}}}, {points: []point{{.10, .90}, {.50, .84}, {1.00, .92}}}}},
		// upright, flat base
		{weight: 3, strokes: []stroke{{points: []point{{.10, .20}, {.32, .02}, {.54, .12}, {.54, .40}, {.44, .68}, {.30, .94}}}, {sharp: true, points: []point{{.00, .95}, {.30, .94}, {.84, .93}}}}},
		// the foot's tail rising
		{weight: 4, strokes: []stroke{{points: []point{{.08, .22}, {.30, .02}, {.60, .14}, {.52, .44}, {.24, .76}, {.02, .92}, {.06, .80}, {.30, .76}, {.60, .86}, {.98, .70}}}}},
		// small head, large loop
		{weight: 3, strokes: []stroke{{points: []point{{.20, .16}, {.40, .02}, {.60, .10}, {.58, .34}, {.40, .66}, {.16, .94}, {-.08, .92}, {-.10, .74}, {.12, .64}, {.44, .74}, {.84, .92}}}}},
		// round like an a: cap, large loop, short tail
		{weight: 8, strokes: []stroke{{points: []point{{.14, .20}, {.34, .03}, {.62, .06}, {.72, .28}, {.62, .60}, {.44, .88}, {.20, .98}, {.02, .86}, {.06, .62}, {.28, .54}, {.52, .70}, {.74, .96}}}}},
		// the same with a loop that leaves along the line
		{weight: 6, strokes: []stroke{{points: []point{{.10, .14}, {.40, .00}, {.66, .14}, {.64, .44}, {.50, .76}, {.26, .96}, {.05, .90}, {.07, .68}, {.30, .61}, {.50, .80}, {.64, .98}, {.84, .94}}}}},
		// small head on a long neck, round loop
		{weight: 2, strokes: []stroke{{points: []point{{.34, .10}, {.50, .00}, {.62, .12}, {.58, .44}, {.44, .80}, {.20, .98}, {.02, .86}, {.10, .66}, {.34, .64}, {.60, .84}, {.84, .82}}}}},
	},
	3: {
		{weight: 5, strokes: []stroke{{points: []point{{.08, .12}, {.32, .00}, {.60, .10}, {.58, .34}, {.30, .46}}}, {points: []point{{.30, .46}, {.60, .54}, {.70, .76}, {.48, .97}, {.18, .97}, {.00, .85}}}}},
		// with a small loop in the middle
		{weight: 3, strokes: []stroke{{points: []point{{.10, .08}, {.38, .00}, {.62, .12}, {.54, .36}, {.30, .48}, {.26, .42}, {.40, .44}, {.64, .58}, {.66, .82}, {.42, .99}, {.10, .94}}}}},
		// flat top
		{weight: 1, strokes: []stroke{{sharp: true, points: []point{{.06, .03}, {.62, .03}, {.32, .40}}}, {points: []point{{.32, .40}, {.62, .48}, {.68, .74}, {.44, .97}, {.06, .92}}}}},
		// shallow bows
		{weight: 2, strokes: []stroke{{points: []point{{.02, .06}, {.40, .02}, {.58, .16}, {.44, .38}, {.20, .48}}}, {points: []point{{.20, .48}, {.52, .52}, {.62, .70}, {.44, .92}, {.00, 1.0}}}}},
		// small head, large belly
		{weight: 2, strokes: []stroke{{points: []point{{.10, .08}, {.36, .00}, {.52, .10}, {.44, .28}, {.24, .36}}}, {points: []point{{.24, .36}, {.58, .40}, {.74, .66}, {.52, .96}, {.10, .98}, {-.08, .88}}}}},
		// pointed, leaning
		{weight: 2, strokes: []stroke{{sharp: true, points: []point{{.10, .04}, {.60, .06}, {.26, .42}}}, {points: []point{{.26, .42}, {.56, .48}, {.58, .74}, {.30, .96}, {-.06, .98}}}}},
		// long lower bow without a hook
		{weight: 3, strokes: []stroke{{points: []point{{.05, .10}, {.35, .02}, {.55, .14}, {.42, .36}, {.22, .43}}}, {points: []point{{.22, .43}, {.50, .47}, {.60, .66}, {.50, .88}, {.28, 1.0}}}}},
		// head that curls in
		{weight: 2, strokes: []stroke{{points: []point{{.14, .24}, {.10, .10}, {.34, .00}, {.56, .12}, {.50, .36}, {.28, .46}}}, {points: []point{{.28, .46}, {.58, .50}, {.66, .74}, {.46, .97}, {.16, .96}, {.06, .82}}}}},
		// angular, the middle a sharp point
		{weight: 2, strokes: []stroke{{sharp: true, points: []point{{.06, .08}, {.34, .00}, {.54, .14}, {.46, .34}, {.20, .46}}}, {points: []point{{.20, .46}, {.54, .50}, {.62, .74}, {.40, .96}, {.04, .98}}}}},
	},
	4: {
		// open: a hook and an upright
		{weight: 4, strokes: []stroke{{points: []point{{.12, .04}, {.06, .30}, {.06, .50}, {.30, .54}, {.66, .48}}}, {points: []point{{.66, .02}, {.62, .50}, {.60, 1.0}}}}},
		// open, sharp
		{weight: 3, strokes: []stroke{{sharp: true, points: []point{{.14, .02}, {.03, .54}, {.80, .52}}}, {sharp: true, points: []point{{.62, .04}, {.56, 1.0}}}}},
		// closed
		{weight: 2, strokes: []stroke{{sharp: true, points: []point{{.56, .02}, {.02, .62}, {.80, .62}}}, {sharp: true, points: []point{{.58, .02}, {.56, 1.0}}}}},
		// open in one go, the upright leaving the hook's end
		{weight: 3, strokes: []stroke{{points: []point{{.10, .06}, {.04, .38}, {.18, .56}, {.44, .50}, {.62, .30}, {.68, .06}}}, {points: []point{{.68, .06}, {.62, .50}, {.54, 1.0}}}}},
		// pointed top, almost closed
		{weight: 1, strokes: []stroke{{sharp: true, points: []point{{.48, .00}, {.02, .58}, {.30, .58}, {.78, .54}}}, {points: []point{{.56, .14}, {.54, .60}, {.50, 1.0}}}}},
		// short arms, the upright crossing low
		{weight: 2, strokes: []stroke{{points: []point{{.10, .10}, {.04, .34}, {.12, .46}, {.40, .44}, {.72, .40}}}, {points: []point{{.62, .00}, {.56, .40}, {.44, 1.0}}}}},
		// slanted, closed head
		{weight: 2, strokes: []stroke{{sharp: true, points: []point{{.64, .00}, {.06, .56}, {.36, .56}, {.84, .50}}}, {points: []point{{.64, .00}, {.56, .44}, {.46, 1.0}}}}},
	},
	5: {
		// one line: bar, neck, belly
		{weight: 4, strokes: []stroke{{sharp: true, points: []point{{.72, .02}, {.22, .05}, {.14, .44}}}, {points: []point{{.14, .44}, {.40, .36}, {.64, .52}, {.62, .80}, {.36, .98}, {.02, .92}}}}},
		// separate bar
		{weight: 3, strokes: []stroke{{points: []point{{.20, .04}, {.16, .26}, {.14, .42}, {.40, .38}, {.62, .56}, {.58, .84}, {.30, .99}, {.02, .90}}}, {points: []point{{.18, .04}, {.46, .04}, {.78, .00}}}}},
		// round neck, slanted bar
		{weight: 3, strokes: []stroke{{points: []point{{.80, .00}, {.52, .04}, {.26, .10}, {.18, .36}, {.30, .44}, {.54, .54}, {.58, .76}, {.36, .96}, {.04, .94}}}}},
		// large belly
		{weight: 2, strokes: []stroke{{sharp: true, points: []point{{.66, .02}, {.16, .02}, {.12, .38}}}, {points: []point{{.12, .38}, {.46, .32}, {.72, .54}, {.66, .86}, {.34, 1.0}, {.04, .86}}}}},
		// long bar
		{weight: 3, strokes: []stroke{{sharp: true, points: []point{{1.00, .00}, {.28, .06}, {.20, .42}}}, {points: []point{{.20, .42}, {.44, .40}, {.60, .58}, {.52, .84}, {.22, .98}, {-.06, .90}}}}},
		// small belly, like an S
		{weight: 2, strokes: []stroke{{points: []point{{.70, .02}, {.40, .02}, {.18, .18}, {.26, .40}, {.50, .56}, {.54, .80}, {.30, .98}, {.00, .94}}}}},
		// closing belly
		{weight: 2, strokes: []stroke{{sharp: true, points: []point{{.74, .02}, {.24, .04}, {.16, .42}}}, {points: []point{{.16, .42}, {.46, .38}, {.64, .60}, {.56, .90}, {.26, .98}, {.08, .80}, {.20, .68}}}}},
	},
	6: {
		{weight: 5, strokes: []stroke{{points: []point{{.54, .00}, {.28, .20}, {.08, .56}, {.14, .88}, {.38, .98}, {.60, .82}, {.52, .58}, {.30, .56}, {.12, .76}}}}},
		// straight stem, small loop
		{weight: 3, strokes: []stroke{{points: []point{{.34, .00}, {.16, .32}, {.04, .68}, {.16, .94}, {.40, .96}, {.54, .78}, {.42, .62}, {.22, .68}, {.08, .84}}}}},
		// long bow
		{weight: 2, strokes: []stroke{{points: []point{{.68, .06}, {.38, .10}, {.10, .44}, {.06, .80}, {.32, .99}, {.62, .86}, {.62, .60}, {.36, .50}, {.10, .68}}}}},
		// loop that meets the stem
		{weight: 2, strokes: []stroke{{points: []point{{.46, .00}, {.20, .28}, {.06, .64}, {.20, .96}, {.50, .94}, {.58, .70}, {.38, .58}, {.16, .70}, {.10, .80}}}}},
		// large round loop
		{weight: 3, strokes: []stroke{{points: []point{{.36, .00}, {.10, .28}, {.00, .66}, {.18, .96}, {.56, .96}, {.76, .72}, {.60, .52}, {.34, .58}, {.16, .82}}}}},
		// open loop
		{weight: 2, strokes: []stroke{{points: []point{{.40, .00}, {.14, .34}, {.04, .72}, {.22, .98}, {.54, .92}, {.70, .68}, {.56, .54}, {.36, .64}}}}},
		// slanted, slim
		{weight: 2, strokes: []stroke{{points: []point{{.70, .00}, {.42, .28}, {.18, .62}, {.16, .88}, {.34, .98}, {.54, .84}, {.56, .64}, {.40, .60}, {.22, .78}}}}},
		// tall stem, loop drawn far to the right
		{weight: 3, strokes: []stroke{{points: []point{{.20, .00}, {.06, .40}, {.10, .80}, {.34, .96}, {.68, .86}, {.76, .64}, {.58, .52}, {.40, .66}, {.34, .86}}}}},
	},
	7: {
		{weight: 5, strokes: []stroke{{sharp: true, points: []point{{.02, .08}, {.66, .06}}}, {points: []point{{.66, .06}, {.48, .48}, {.28, 1.0}}}}},
		// serif at the left
		{weight: 2, strokes: []stroke{{sharp: true, points: []point{{.04, .22}, {.06, .05}, {.68, .04}}}, {points: []point{{.68, .04}, {.46, .44}, {.34, 1.0}}}}},
		// crossed
		{weight: 2, strokes: []stroke{{sharp: true, points: []point{{.04, .06}, {.68, .04}}}, {points: []point{{.68, .04}, {.46, .48}, {.26, 1.0}}}, {sharp: true, points: []point{{.22, .52}, {.70, .48}}}}},
		// round shoulder
		{weight: 3, strokes: []stroke{{points: []point{{.02, .16}, {.20, .05}, {.46, .06}, {.64, .08}, {.58, .30}, {.42, .62}, {.34, 1.0}}}}},
		// curved stem
		{weight: 2, strokes: []stroke{{sharp: true, points: []point{{.02, .04}, {.62, .02}}}, {points: []point{{.62, .02}, {.58, .26}, {.46, .54}, {.44, 1.0}}}}},
		// long bar, short stem
		{weight: 3, strokes: []stroke{{sharp: true, points: []point{{-.14, .14}, {.70, .06}}}, {points: []point{{.70, .06}, {.62, .40}, {.54, .96}}}}},
		// serif and a stem that bends
		{weight: 2, strokes: []stroke{{sharp: true, points: []point{{.00, .34}, {.06, .06}, {.70, .08}}}, {points: []point{{.70, .08}, {.64, .40}, {.44, .70}, {.42, 1.0}}}}},
		// crossed and curved
		{weight: 2, strokes: []stroke{{points: []point{{.06, .12}, {.30, .06}, {.66, .04}, {.54, .40}, {.36, .98}}}, {sharp: true, points: []point{{.16, .56}, {.68, .50}}}}},
		// serif and cross
		{weight: 2, strokes: []stroke{{sharp: true, points: []point{{.04, .22}, {.08, .05}, {.68, .04}}}, {points: []point{{.68, .04}, {.46, .46}, {.32, 1.0}}}, {sharp: true, points: []point{{.20, .54}, {.68, .48}}}}},
		// short bar, steep stem
		{weight: 3, strokes: []stroke{{sharp: true, points: []point{{.12, .10}, {.58, .05}}}, {points: []point{{.58, .05}, {.52, .50}, {.44, 1.0}}}}},
		// deep serif
		{weight: 2, strokes: []stroke{{sharp: true, points: []point{{.00, .40}, {.08, .06}, {.66, .10}}}, {points: []point{{.66, .10}, {.60, .50}, {.48, 1.0}}}}},
	},
	8: {
		// one line, begun at the top right
		{weight: 4, strokes: []stroke{{points: []point{{.56, .12}, {.34, .01}, {.10, .12}, {.14, .34}, {.38, .50}, {.58, .68}, {.54, .92}, {.30, .99}, {.06, .88}, {.12, .66}, {.36, .48}, {.56, .30}, {.60, .14}, {.50, .06}}}}},
		// two rings
		{weight: 2, strokes: []stroke{{points: []point{{.34, .01}, {.12, .12}, {.16, .38}, {.36, .47}, {.56, .36}, {.58, .12}, {.34, .01}, {.24, .05}}}, {points: []point{{.36, .47}, {.10, .62}, {.08, .88}, {.36, 1.0}, {.62, .88}, {.60, .62}, {.36, .47}, {.26, .50}}}}},
		// slim, large below, the head open
		{weight: 3, strokes: []stroke{{points: []point{{.60, .04}, {.34, .03}, {.16, .20}, {.28, .42}, {.50, .60}, {.52, .86}, {.28, .99}, {.06, .86}, {.14, .64}, {.40, .42}, {.62, .20}, {.64, .06}}}}},
		// begun in the middle
		{weight: 2, strokes: []stroke{{points: []point{{.40, .46}, {.18, .32}, {.18, .10}, {.42, .00}, {.62, .14}, {.52, .38}, {.26, .56}, {.06, .78}, {.20, .98}, {.48, .94}, {.58, .72}, {.44, .50}}}}},
		// head open at the right
		{weight: 3, strokes: []stroke{{points: []point{{.72, .10}, {.44, .00}, {.16, .10}, {.20, .32}, {.44, .54}, {.54, .78}, {.40, .98}, {.14, .92}, {.18, .68}, {.46, .42}, {.78, .14}}}}},
		// slanted, slim
		{weight: 3, strokes: []stroke{{points: []point{{.58, .10}, {.40, .02}, {.28, .16}, {.38, .38}, {.48, .62}, {.40, .90}, {.20, .98}, {.14, .80}, {.30, .58}, {.54, .34}, {.66, .12}, {.54, .02}}}}},
		// large head, small foot
		{weight: 3, strokes: []stroke{{points: []point{{.50, .02}, {.20, .04}, {.06, .26}, {.28, .48}, {.50, .70}, {.48, .92}, {.32, 1.0}, {.20, .88}, {.30, .66}, {.60, .42}, {.72, .18}, {.52, .02}, {.36, .02}}}}},
		// two round rings, the lower one larger
		{weight: 3, strokes: []stroke{{points: []point{{.44, .02}, {.22, .10}, {.22, .34}, {.42, .44}, {.62, .32}, {.60, .10}, {.44, .02}, {.36, .04}}}, {points: []point{{.42, .44}, {.12, .58}, {.06, .86}, {.34, 1.0}, {.66, .90}, {.70, .62}, {.42, .44}, {.34, .46}}}}},
		// tails at the top right
		{weight: 3, strokes: []stroke{{points: []point{{.86, .06}, {.52, .04}, {.24, .14}, {.26, .36}, {.48, .54}, {.56, .76}, {.42, .97}, {.18, .94}, {.16, .72}, {.36, .50}, {.60, .30}, {.78, .06}}}}},
		// small closed head
		{weight: 3, strokes: []stroke{{points: []point{{.46, .04}, {.26, .08}, {.26, .28}, {.44, .42}, {.64, .62}, {.62, .90}, {.36, 1.0}, {.12, .88}, {.16, .62}, {.40, .42}, {.56, .26}, {.56, .08}, {.42, .03}}}}},
		// lower ring open at the left
		{weight: 2, strokes: []stroke{{points: []point{{.60, .10}, {.38, .00}, {.16, .12}, {.22, .34}, {.46, .50}, {.60, .72}, {.48, .96}, {.22, .99}, {.06, .86}}}, {points: []point{{.60, .10}, {.52, .32}, {.34, .52}, {.14, .74}}}}},
		// the return stroke stops short of the head
		{weight: 3, strokes: []stroke{{points: []point{{.66, .10}, {.40, .02}, {.18, .14}, {.26, .36}, {.50, .54}, {.58, .78}, {.40, .97}, {.16, .92}, {.16, .72}, {.36, .50}, {.56, .30}}}}},
		// small foot, long return stroke
		{weight: 2, strokes: []stroke{{points: []point{{.52, .14}, {.30, .06}, {.14, .22}, {.26, .44}, {.44, .62}, {.44, .86}, {.28, .97}, {.16, .84}, {.26, .62}, {.56, .32}, {.86, .02}}}}},
	},
	9: {
		// ring and straight stem
		{weight: 4, strokes: []stroke{{points: []point{{.62, .12}, {.40, .00}, {.12, .14}, {.08, .38}, {.30, .48}, {.56, .34}, {.64, .10}}}, {points: []point{{.64, .10}, {.62, .50}, {.58, 1.0}}}}},
		// ring and stem bowed to the left
		{weight: 4, strokes: []stroke{{points: []point{{.58, .16}, {.36, .01}, {.10, .16}, {.10, .40}, {.34, .46}, {.58, .26}, {.60, .12}, {.62, .40}, {.50, .74}, {.34, 1.0}}}}},
		// hooked stem
		{weight: 2, strokes: []stroke{{points: []point{{.62, .10}, {.36, .00}, {.10, .16}, {.12, .42}, {.38, .46}, {.62, .26}}}, {points: []point{{.64, .08}, {.66, .50}, {.60, .88}, {.36, 1.0}, {.10, .90}}}}},
		// small head, slanted
		{weight: 3, strokes: []stroke{{points: []point{{.56, .08}, {.34, .02}, {.14, .18}, {.16, .38}, {.36, .42}, {.56, .24}, {.60, .06}, {.52, .40}, {.40, .72}, {.30, 1.0}}}}},
		// large round head, short stem
		{weight: 3, strokes: []stroke{{points: []point{{.68, .10}, {.36, -.02}, {.04, .16}, {.02, .46}, {.28, .58}, {.60, .40}, {.72, .12}}}, {points: []point{{.72, .12}, {.70, .54}, {.62, 1.0}}}}},
		// open head
		{weight: 3, strokes: []stroke{{points: []point{{.58, .02}, {.26, .10}, {.10, .34}, {.26, .48}, {.54, .38}, {.70, .14}}}, {points: []point{{.70, .14}, {.62, .54}, {.46, 1.0}}}}},
		// flat head, stem to the left
		{weight: 2, strokes: []stroke{{points: []point{{.74, .08}, {.40, .02}, {.04, .22}, {.10, .40}, {.46, .36}, {.72, .14}, {.56, .52}, {.30, 1.0}}}}},
		// stem ending in a bow
		{weight: 3, strokes: []stroke{{points: []point{{.66, .06}, {.36, .02}, {.12, .18}, {.20, .40}, {.48, .40}, {.66, .20}, {.66, .58}, {.50, .94}, {.22, .98}, {.06, .86}}}}},
		// head open at the top
		{weight: 1, strokes: []stroke{{points: []point{{.22, .02}, {.06, .22}, {.12, .44}, {.40, .46}, {.62, .26}, {.68, .02}, {.62, .50}, {.50, 1.0}}}}},
	},
}
