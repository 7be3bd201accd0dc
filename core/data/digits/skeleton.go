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

// curve and lines shorten the tables below.
func curve(p ...point) stroke { return stroke{points: p} }
func lines(p ...point) stroke { return stroke{points: p, sharp: true} }

// styles returns the styles of every digit: skeletons drawn by hand for this package, after the usual forms of school
// and everyday handwriting in Europe and America.
func styles() [10][]style {
	return [10][]style{
		0: {
			// an oval begun at the top
			{weight: 4, strokes: []stroke{curve(point{.36, .02}, point{.12, .16}, point{.02, .48}, point{.10, .83}, point{.35, .98}, point{.61, .84}, point{.70, .50}, point{.60, .16}, point{.36, .02}, point{.22, .07})}},
			// not quite closed, ends crossing
			{weight: 2, strokes: []stroke{curve(point{.50, .06}, point{.26, .05}, point{.05, .32}, point{.05, .68}, point{.26, .97}, point{.56, .90}, point{.70, .56}, point{.62, .20}, point{.38, .03}, point{.24, .12})}},
			// begun at the right, with a small hook inside
			{weight: 1, strokes: []stroke{curve(point{.60, .14}, point{.42, .01}, point{.14, .12}, point{.02, .46}, point{.10, .86}, point{.38, .99}, point{.64, .80}, point{.70, .42}, point{.56, .10}, point{.40, .14})}},
			// nearly round
			{weight: 4, strokes: []stroke{curve(point{.50, .03}, point{.18, .13}, point{.02, .48}, point{.17, .86}, point{.50, .97}, point{.84, .84}, point{.97, .50}, point{.83, .15}, point{.50, .03}, point{.34, .05})}},
			// leaning, slim
			{weight: 3, strokes: []stroke{curve(point{.56, .02}, point{.28, .22}, point{.10, .58}, point{.12, .94}, point{.34, .94}, point{.58, .62}, point{.66, .22}, point{.54, .02}, point{.40, .12})}},
			// lying, wide
			{weight: 1, strokes: []stroke{curve(point{.60, .20}, point{.20, .22}, point{-.04, .50}, point{.22, .78}, point{.66, .78}, point{.96, .50}, point{.74, .22}, point{.50, .20}, point{.36, .28})}},
			// begun with a tail at the top right
			{weight: 2, strokes: []stroke{curve(point{.72, .02}, point{.44, .03}, point{.16, .18}, point{.04, .50}, point{.14, .86}, point{.40, .97}, point{.64, .78}, point{.68, .42}, point{.54, .12}, point{.34, .06})}},
			// slim and upright
			{weight: 1, strokes: []stroke{curve(point{.30, .02}, point{.12, .20}, point{.06, .50}, point{.12, .82}, point{.28, .98}, point{.44, .82}, point{.50, .50}, point{.44, .18}, point{.30, .02}, point{.22, .06})}},
			// not closed at the top
			{weight: 2, strokes: []stroke{curve(point{.22, .10}, point{.06, .40}, point{.08, .78}, point{.34, .98}, point{.62, .82}, point{.72, .46}, point{.62, .12}, point{.46, .04})}},
		},
		1: {
			{weight: 5, strokes: []stroke{curve(point{.50, .00}, point{.50, .50}, point{.50, 1.0})}},
			{weight: 2, strokes: []stroke{curve(point{.55, .00}, point{.50, .50}, point{.42, 1.0})}},
			{weight: 2, strokes: []stroke{lines(point{.26, .24}, point{.50, .02}, point{.50, 1.0})}},
			{weight: 1, strokes: []stroke{lines(point{.22, .26}, point{.50, .02}, point{.50, 1.0}), lines(point{.24, 1.0}, point{.78, 1.0})}},
			{weight: 1, strokes: []stroke{curve(point{.34, .14}, point{.48, .03}, point{.50, .20}, point{.49, .60}, point{.50, 1.0})}},
		},
		2: {
			// arc, diagonal, straight base
			{weight: 4, strokes: []stroke{curve(point{.08, .24}, point{.22, .05}, point{.46, .01}, point{.64, .16}, point{.60, .40}, point{.38, .66}, point{.06, .97}), curve(point{.06, .97}, point{.38, .96}, point{.74, .95})}},
			// small loop at the foot
			{weight: 4, strokes: []stroke{curve(point{.06, .20}, point{.24, .03}, point{.52, .04}, point{.62, .24}, point{.50, .52}, point{.28, .82}, point{.10, .95}, point{.03, .84}, point{.16, .76}, point{.36, .88}, point{.58, .98}, point{.80, .90})}},
			// round back, wavy base
			{weight: 2, strokes: []stroke{curve(point{.10, .16}, point{.34, .00}, point{.62, .12}, point{.62, .38}, point{.40, .66}, point{.10, .92}, point{.30, .88}, point{.54, .98}, point{.80, .93})}},
			// sharp foot, like a Z with a round head
			{weight: 2, strokes: []stroke{curve(point{.04, .12}, point{.32, .01}, point{.58, .10}, point{.56, .34}, point{.34, .64}, point{.02, 1.0}), lines(point{.02, 1.0}, point{.70, .98})}},
			// long base
			{weight: 3, strokes: []stroke{curve(point{.14, .22}, point{.34, .02}, point{.62, .08}, point{.62, .34}, point{.36, .66}, point{.10, .94}), curve(point{.10, .94}, point{.40, .86}, point{.76, .88}, point{1.10, .84})}},
			// a loop at the foot that leaves for a long tail
			{weight: 3, strokes: []stroke{curve(point{.16, .16}, point{.44, .00}, point{.66, .14}, point{.58, .44}, point{.34, .76}, point{.12, .96}, point{.00, .88}, point{.12, .76}, point{.40, .82}, point{.74, .92}, point{1.08, .84})}},
			// a head that curls in
			{weight: 2, strokes: []stroke{curve(point{.22, .34}, point{.10, .22}, point{.26, .03}, point{.54, .04}, point{.64, .26}, point{.46, .58}, point{.12, .94}), curve(point{.12, .94}, point{.40, .90}, point{.78, .98})}},
			// a cap for a head and a large round loop at the foot
			{weight: 6, strokes: []stroke{curve(point{.15, .25}, point{.35, .03}, point{.68, .10}, point{.72, .38}, point{.58, .70}, point{.34, .94}, point{.10, .96}, point{.02, .80}, point{.20, .68}, point{.46, .78}, point{.70, .94}, point{.92, .92})}},
			{weight: 5, strokes: []stroke{curve(point{.20, .20}, point{.45, .02}, point{.72, .16}, point{.70, .48}, point{.52, .80}, point{.24, .98}, point{.02, .92}, point{.04, .72}, point{.26, .66}, point{.54, .82}, point{.80, .98})}},
			// head and foot both curl
			{weight: 4, strokes: []stroke{curve(point{.36, .36}, point{.20, .28}, point{.24, .08}, point{.50, .00}, point{.74, .16}, point{.70, .48}, point{.48, .80}, point{.16, .96}, point{.02, .84}, point{.18, .72}, point{.50, .84}, point{.88, .90})}},
			// steep neck, flat loop, short tail
			{weight: 4, strokes: []stroke{curve(point{.22, .14}, point{.46, .02}, point{.62, .20}, point{.56, .52}, point{.40, .86}, point{.16, .98}, point{.02, .86}, point{.16, .74}, point{.42, .84}, point{.66, .98})}},
			// hardly a base
			{weight: 3, strokes: []stroke{curve(point{.08, .22}, point{.34, .02}, point{.60, .14}, point{.54, .44}, point{.32, .74}, point{.06, .96}), lines(point{.06, .96}, point{.46, .97})}},
			// wide, low head
			{weight: 3, strokes: []stroke{curve(point{.02, .22}, point{.28, .06}, point{.60, .10}, point{.70, .28}, point{.44, .60}, point{.10, .90}), curve(point{.10, .90}, point{.50, .84}, point{1.00, .92})}},
			// upright, flat base
			{weight: 3, strokes: []stroke{curve(point{.10, .20}, point{.32, .02}, point{.54, .12}, point{.54, .40}, point{.44, .68}, point{.30, .94}), lines(point{.00, .95}, point{.30, .94}, point{.84, .93})}},
			// the foot's tail rising
			{weight: 4, strokes: []stroke{curve(point{.08, .22}, point{.30, .02}, point{.60, .14}, point{.52, .44}, point{.24, .76}, point{.02, .92}, point{.06, .80}, point{.30, .76}, point{.60, .86}, point{.98, .70})}},
			// small head, large loop
			{weight: 3, strokes: []stroke{curve(point{.20, .16}, point{.40, .02}, point{.60, .10}, point{.58, .34}, point{.40, .66}, point{.16, .94}, point{-.08, .92}, point{-.10, .74}, point{.12, .64}, point{.44, .74}, point{.84, .92})}},
			// round like an a: cap, large loop, short tail
			{weight: 8, strokes: []stroke{curve(point{.14, .20}, point{.34, .03}, point{.62, .06}, point{.72, .28}, point{.62, .60}, point{.44, .88}, point{.20, .98}, point{.02, .86}, point{.06, .62}, point{.28, .54}, point{.52, .70}, point{.74, .96})}},
			// the same with a loop that leaves along the line
			{weight: 6, strokes: []stroke{curve(point{.10, .14}, point{.40, .00}, point{.66, .14}, point{.64, .44}, point{.50, .76}, point{.26, .96}, point{.05, .90}, point{.07, .68}, point{.30, .61}, point{.50, .80}, point{.64, .98}, point{.84, .94})}},
			// small head on a long neck, round loop
			{weight: 2, strokes: []stroke{curve(point{.34, .10}, point{.50, .00}, point{.62, .12}, point{.58, .44}, point{.44, .80}, point{.20, .98}, point{.02, .86}, point{.10, .66}, point{.34, .64}, point{.60, .84}, point{.84, .82})}},
		},
		3: {
			{weight: 5, strokes: []stroke{curve(point{.08, .12}, point{.32, .00}, point{.60, .10}, point{.58, .34}, point{.30, .46}), curve(point{.30, .46}, point{.60, .54}, point{.70, .76}, point{.48, .97}, point{.18, .97}, point{.00, .85})}},
			// with a small loop in the middle
			{weight: 3, strokes: []stroke{curve(point{.10, .08}, point{.38, .00}, point{.62, .12}, point{.54, .36}, point{.30, .48}, point{.26, .42}, point{.40, .44}, point{.64, .58}, point{.66, .82}, point{.42, .99}, point{.10, .94})}},
			// flat top
			{weight: 1, strokes: []stroke{lines(point{.06, .03}, point{.62, .03}, point{.32, .40}), curve(point{.32, .40}, point{.62, .48}, point{.68, .74}, point{.44, .97}, point{.06, .92})}},
			// shallow bows
			{weight: 2, strokes: []stroke{curve(point{.02, .06}, point{.40, .02}, point{.58, .16}, point{.44, .38}, point{.20, .48}), curve(point{.20, .48}, point{.52, .52}, point{.62, .70}, point{.44, .92}, point{.00, 1.0})}},
			// small head, large belly
			{weight: 2, strokes: []stroke{curve(point{.10, .08}, point{.36, .00}, point{.52, .10}, point{.44, .28}, point{.24, .36}), curve(point{.24, .36}, point{.58, .40}, point{.74, .66}, point{.52, .96}, point{.10, .98}, point{-.08, .88})}},
			// pointed, leaning
			{weight: 2, strokes: []stroke{lines(point{.10, .04}, point{.60, .06}, point{.26, .42}), curve(point{.26, .42}, point{.56, .48}, point{.58, .74}, point{.30, .96}, point{-.06, .98})}},
			// long lower bow without a hook
			{weight: 3, strokes: []stroke{curve(point{.05, .10}, point{.35, .02}, point{.55, .14}, point{.42, .36}, point{.22, .43}), curve(point{.22, .43}, point{.50, .47}, point{.60, .66}, point{.50, .88}, point{.28, 1.0})}},
			// head that curls in
			{weight: 2, strokes: []stroke{curve(point{.14, .24}, point{.10, .10}, point{.34, .00}, point{.56, .12}, point{.50, .36}, point{.28, .46}), curve(point{.28, .46}, point{.58, .50}, point{.66, .74}, point{.46, .97}, point{.16, .96}, point{.06, .82})}},
			// angular, the middle a sharp point
			{weight: 2, strokes: []stroke{lines(point{.06, .08}, point{.34, .00}, point{.54, .14}, point{.46, .34}, point{.20, .46}), curve(point{.20, .46}, point{.54, .50}, point{.62, .74}, point{.40, .96}, point{.04, .98})}},
		},
		4: {
			// open: a hook and an upright
			{weight: 4, strokes: []stroke{curve(point{.12, .04}, point{.06, .30}, point{.06, .50}, point{.30, .54}, point{.66, .48}), curve(point{.66, .02}, point{.62, .50}, point{.60, 1.0})}},
			// open, sharp
			{weight: 3, strokes: []stroke{lines(point{.14, .02}, point{.03, .54}, point{.80, .52}), lines(point{.62, .04}, point{.56, 1.0})}},
			// closed
			{weight: 2, strokes: []stroke{lines(point{.56, .02}, point{.02, .62}, point{.80, .62}), lines(point{.58, .02}, point{.56, 1.0})}},
			// open in one go, the upright leaving the hook's end
			{weight: 3, strokes: []stroke{curve(point{.10, .06}, point{.04, .38}, point{.18, .56}, point{.44, .50}, point{.62, .30}, point{.68, .06}), curve(point{.68, .06}, point{.62, .50}, point{.54, 1.0})}},
			// pointed top, almost closed
			{weight: 1, strokes: []stroke{lines(point{.48, .00}, point{.02, .58}, point{.30, .58}, point{.78, .54}), curve(point{.56, .14}, point{.54, .60}, point{.50, 1.0})}},
			// short arms, the upright crossing low
			{weight: 2, strokes: []stroke{curve(point{.10, .10}, point{.04, .34}, point{.12, .46}, point{.40, .44}, point{.72, .40}), curve(point{.62, .00}, point{.56, .40}, point{.44, 1.0})}},
			// slanted, closed head
			{weight: 2, strokes: []stroke{lines(point{.64, .00}, point{.06, .56}, point{.36, .56}, point{.84, .50}), curve(point{.64, .00}, point{.56, .44}, point{.46, 1.0})}},
		},
		5: {
			// one line: bar, neck, belly
			{weight: 4, strokes: []stroke{lines(point{.72, .02}, point{.22, .05}, point{.14, .44}), curve(point{.14, .44}, point{.40, .36}, point{.64, .52}, point{.62, .80}, point{.36, .98}, point{.02, .92})}},
			// separate bar
			{weight: 3, strokes: []stroke{curve(point{.20, .04}, point{.16, .26}, point{.14, .42}, point{.40, .38}, point{.62, .56}, point{.58, .84}, point{.30, .99}, point{.02, .90}), curve(point{.18, .04}, point{.46, .04}, point{.78, .00})}},
			// round neck, slanted bar
			{weight: 3, strokes: []stroke{curve(point{.80, .00}, point{.52, .04}, point{.26, .10}, point{.18, .36}, point{.30, .44}, point{.54, .54}, point{.58, .76}, point{.36, .96}, point{.04, .94})}},
			// large belly
			{weight: 2, strokes: []stroke{lines(point{.66, .02}, point{.16, .02}, point{.12, .38}), curve(point{.12, .38}, point{.46, .32}, point{.72, .54}, point{.66, .86}, point{.34, 1.0}, point{.04, .86})}},
			// long bar
			{weight: 3, strokes: []stroke{lines(point{1.00, .00}, point{.28, .06}, point{.20, .42}), curve(point{.20, .42}, point{.44, .40}, point{.60, .58}, point{.52, .84}, point{.22, .98}, point{-.06, .90})}},
			// small belly, like an S
			{weight: 2, strokes: []stroke{curve(point{.70, .02}, point{.40, .02}, point{.18, .18}, point{.26, .40}, point{.50, .56}, point{.54, .80}, point{.30, .98}, point{.00, .94})}},
			// closing belly
			{weight: 2, strokes: []stroke{lines(point{.74, .02}, point{.24, .04}, point{.16, .42}), curve(point{.16, .42}, point{.46, .38}, point{.64, .60}, point{.56, .90}, point{.26, .98}, point{.08, .80}, point{.20, .68})}},
		},
		6: {
			{weight: 5, strokes: []stroke{curve(point{.54, .00}, point{.28, .20}, point{.08, .56}, point{.14, .88}, point{.38, .98}, point{.60, .82}, point{.52, .58}, point{.30, .56}, point{.12, .76})}},
			// straight stem, small loop
			{weight: 3, strokes: []stroke{curve(point{.34, .00}, point{.16, .32}, point{.04, .68}, point{.16, .94}, point{.40, .96}, point{.54, .78}, point{.42, .62}, point{.22, .68}, point{.08, .84})}},
			// long bow
			{weight: 2, strokes: []stroke{curve(point{.68, .06}, point{.38, .10}, point{.10, .44}, point{.06, .80}, point{.32, .99}, point{.62, .86}, point{.62, .60}, point{.36, .50}, point{.10, .68})}},
			// loop that meets the stem
			{weight: 2, strokes: []stroke{curve(point{.46, .00}, point{.20, .28}, point{.06, .64}, point{.20, .96}, point{.50, .94}, point{.58, .70}, point{.38, .58}, point{.16, .70}, point{.10, .80})}},
			// large round loop
			{weight: 3, strokes: []stroke{curve(point{.36, .00}, point{.10, .28}, point{.00, .66}, point{.18, .96}, point{.56, .96}, point{.76, .72}, point{.60, .52}, point{.34, .58}, point{.16, .82})}},
			// open loop
			{weight: 2, strokes: []stroke{curve(point{.40, .00}, point{.14, .34}, point{.04, .72}, point{.22, .98}, point{.54, .92}, point{.70, .68}, point{.56, .54}, point{.36, .64})}},
			// slanted, slim
			{weight: 2, strokes: []stroke{curve(point{.70, .00}, point{.42, .28}, point{.18, .62}, point{.16, .88}, point{.34, .98}, point{.54, .84}, point{.56, .64}, point{.40, .60}, point{.22, .78})}},
			// tall stem, loop drawn far to the right
			{weight: 3, strokes: []stroke{curve(point{.20, .00}, point{.06, .40}, point{.10, .80}, point{.34, .96}, point{.68, .86}, point{.76, .64}, point{.58, .52}, point{.40, .66}, point{.34, .86})}},
		},
		7: {
			{weight: 5, strokes: []stroke{lines(point{.02, .08}, point{.66, .06}), curve(point{.66, .06}, point{.48, .48}, point{.28, 1.0})}},
			// serif at the left
			{weight: 2, strokes: []stroke{lines(point{.04, .22}, point{.06, .05}, point{.68, .04}), curve(point{.68, .04}, point{.46, .44}, point{.34, 1.0})}},
			// crossed
			{weight: 2, strokes: []stroke{lines(point{.04, .06}, point{.68, .04}), curve(point{.68, .04}, point{.46, .48}, point{.26, 1.0}), lines(point{.22, .52}, point{.70, .48})}},
			// round shoulder
			{weight: 3, strokes: []stroke{curve(point{.02, .16}, point{.20, .05}, point{.46, .06}, point{.64, .08}, point{.58, .30}, point{.42, .62}, point{.34, 1.0})}},
			// curved stem
			{weight: 2, strokes: []stroke{lines(point{.02, .04}, point{.62, .02}), curve(point{.62, .02}, point{.58, .26}, point{.46, .54}, point{.44, 1.0})}},
			// long bar, short stem
			{weight: 3, strokes: []stroke{lines(point{-.14, .14}, point{.70, .06}), curve(point{.70, .06}, point{.62, .40}, point{.54, .96})}},
			// serif and a stem that bends
			{weight: 2, strokes: []stroke{lines(point{.00, .34}, point{.06, .06}, point{.70, .08}), curve(point{.70, .08}, point{.64, .40}, point{.44, .70}, point{.42, 1.0})}},
			// crossed and curved
			{weight: 2, strokes: []stroke{curve(point{.06, .12}, point{.30, .06}, point{.66, .04}, point{.54, .40}, point{.36, .98}), lines(point{.16, .56}, point{.68, .50})}},
			// serif and cross
			{weight: 2, strokes: []stroke{lines(point{.04, .22}, point{.08, .05}, point{.68, .04}), curve(point{.68, .04}, point{.46, .46}, point{.32, 1.0}), lines(point{.20, .54}, point{.68, .48})}},
			// short bar, steep stem
			{weight: 3, strokes: []stroke{lines(point{.12, .10}, point{.58, .05}), curve(point{.58, .05}, point{.52, .50}, point{.44, 1.0})}},
			// deep serif
			{weight: 2, strokes: []stroke{lines(point{.00, .40}, point{.08, .06}, point{.66, .10}), curve(point{.66, .10}, point{.60, .50}, point{.48, 1.0})}},
		},
		8: {
			// one line, begun at the top right
			{weight: 4, strokes: []stroke{curve(point{.56, .12}, point{.34, .01}, point{.10, .12}, point{.14, .34}, point{.38, .50}, point{.58, .68}, point{.54, .92}, point{.30, .99}, point{.06, .88}, point{.12, .66}, point{.36, .48}, point{.56, .30}, point{.60, .14}, point{.50, .06})}},
			// two rings
			{weight: 2, strokes: []stroke{curve(point{.34, .01}, point{.12, .12}, point{.16, .38}, point{.36, .47}, point{.56, .36}, point{.58, .12}, point{.34, .01}, point{.24, .05}), curve(point{.36, .47}, point{.10, .62}, point{.08, .88}, point{.36, 1.0}, point{.62, .88}, point{.60, .62}, point{.36, .47}, point{.26, .50})}},
			// slim, large below, the head open
			{weight: 3, strokes: []stroke{curve(point{.60, .04}, point{.34, .03}, point{.16, .20}, point{.28, .42}, point{.50, .60}, point{.52, .86}, point{.28, .99}, point{.06, .86}, point{.14, .64}, point{.40, .42}, point{.62, .20}, point{.64, .06})}},
			// begun in the middle
			{weight: 2, strokes: []stroke{curve(point{.40, .46}, point{.18, .32}, point{.18, .10}, point{.42, .00}, point{.62, .14}, point{.52, .38}, point{.26, .56}, point{.06, .78}, point{.20, .98}, point{.48, .94}, point{.58, .72}, point{.44, .50})}},
			// head open at the right
			{weight: 3, strokes: []stroke{curve(point{.72, .10}, point{.44, .00}, point{.16, .10}, point{.20, .32}, point{.44, .54}, point{.54, .78}, point{.40, .98}, point{.14, .92}, point{.18, .68}, point{.46, .42}, point{.78, .14})}},
			// slanted, slim
			{weight: 3, strokes: []stroke{curve(point{.58, .10}, point{.40, .02}, point{.28, .16}, point{.38, .38}, point{.48, .62}, point{.40, .90}, point{.20, .98}, point{.14, .80}, point{.30, .58}, point{.54, .34}, point{.66, .12}, point{.54, .02})}},
			// large head, small foot
			{weight: 3, strokes: []stroke{curve(point{.50, .02}, point{.20, .04}, point{.06, .26}, point{.28, .48}, point{.50, .70}, point{.48, .92}, point{.32, 1.0}, point{.20, .88}, point{.30, .66}, point{.60, .42}, point{.72, .18}, point{.52, .02}, point{.36, .02})}},
			// two round rings, the lower one larger
			{weight: 3, strokes: []stroke{curve(point{.44, .02}, point{.22, .10}, point{.22, .34}, point{.42, .44}, point{.62, .32}, point{.60, .10}, point{.44, .02}, point{.36, .04}), curve(point{.42, .44}, point{.12, .58}, point{.06, .86}, point{.34, 1.0}, point{.66, .90}, point{.70, .62}, point{.42, .44}, point{.34, .46})}},
			// tails at the top right
			{weight: 3, strokes: []stroke{curve(point{.86, .06}, point{.52, .04}, point{.24, .14}, point{.26, .36}, point{.48, .54}, point{.56, .76}, point{.42, .97}, point{.18, .94}, point{.16, .72}, point{.36, .50}, point{.60, .30}, point{.78, .06})}},
			// small closed head
			{weight: 3, strokes: []stroke{curve(point{.46, .04}, point{.26, .08}, point{.26, .28}, point{.44, .42}, point{.64, .62}, point{.62, .90}, point{.36, 1.0}, point{.12, .88}, point{.16, .62}, point{.40, .42}, point{.56, .26}, point{.56, .08}, point{.42, .03})}},
			// lower ring open at the left
			{weight: 2, strokes: []stroke{curve(point{.60, .10}, point{.38, .00}, point{.16, .12}, point{.22, .34}, point{.46, .50}, point{.60, .72}, point{.48, .96}, point{.22, .99}, point{.06, .86}), curve(point{.60, .10}, point{.52, .32}, point{.34, .52}, point{.14, .74})}},
			// the return stroke stops short of the head
			{weight: 3, strokes: []stroke{curve(point{.66, .10}, point{.40, .02}, point{.18, .14}, point{.26, .36}, point{.50, .54}, point{.58, .78}, point{.40, .97}, point{.16, .92}, point{.16, .72}, point{.36, .50}, point{.56, .30})}},
			// small foot, long return stroke
			{weight: 2, strokes: []stroke{curve(point{.52, .14}, point{.30, .06}, point{.14, .22}, point{.26, .44}, point{.44, .62}, point{.44, .86}, point{.28, .97}, point{.16, .84}, point{.26, .62}, point{.56, .32}, point{.86, .02})}},
		},
		9: {
			// ring and straight stem
			{weight: 4, strokes: []stroke{curve(point{.62, .12}, point{.40, .00}, point{.12, .14}, point{.08, .38}, point{.30, .48}, point{.56, .34}, point{.64, .10}), curve(point{.64, .10}, point{.62, .50}, point{.58, 1.0})}},
			// ring and stem bowed to the left
			{weight: 4, strokes: []stroke{curve(point{.58, .16}, point{.36, .01}, point{.10, .16}, point{.10, .40}, point{.34, .46}, point{.58, .26}, point{.60, .12}, point{.62, .40}, point{.50, .74}, point{.34, 1.0})}},
			// hooked stem
			{weight: 2, strokes: []stroke{curve(point{.62, .10}, point{.36, .00}, point{.10, .16}, point{.12, .42}, point{.38, .46}, point{.62, .26}), curve(point{.64, .08}, point{.66, .50}, point{.60, .88}, point{.36, 1.0}, point{.10, .90})}},
			// small head, slanted
			{weight: 3, strokes: []stroke{curve(point{.56, .08}, point{.34, .02}, point{.14, .18}, point{.16, .38}, point{.36, .42}, point{.56, .24}, point{.60, .06}, point{.52, .40}, point{.40, .72}, point{.30, 1.0})}},
			// large round head, short stem
			{weight: 3, strokes: []stroke{curve(point{.68, .10}, point{.36, -.02}, point{.04, .16}, point{.02, .46}, point{.28, .58}, point{.60, .40}, point{.72, .12}), curve(point{.72, .12}, point{.70, .54}, point{.62, 1.0})}},
			// open head
			{weight: 3, strokes: []stroke{curve(point{.58, .02}, point{.26, .10}, point{.10, .34}, point{.26, .48}, point{.54, .38}, point{.70, .14}), curve(point{.70, .14}, point{.62, .54}, point{.46, 1.0})}},
			// flat head, stem to the left
			{weight: 2, strokes: []stroke{curve(point{.74, .08}, point{.40, .02}, point{.04, .22}, point{.10, .40}, point{.46, .36}, point{.72, .14}, point{.56, .52}, point{.30, 1.0})}},
			// stem ending in a bow
			{weight: 3, strokes: []stroke{curve(point{.66, .06}, point{.36, .02}, point{.12, .18}, point{.20, .40}, point{.48, .40}, point{.66, .20}, point{.66, .58}, point{.50, .94}, point{.22, .98}, point{.06, .86})}},
			// head open at the top
			{weight: 1, strokes: []stroke{curve(point{.22, .02}, point{.06, .22}, point{.12, .44}, point{.40, .46}, point{.62, .26}, point{.68, .02}, point{.62, .50}, point{.50, 1.0})}},
		},
	}
}
