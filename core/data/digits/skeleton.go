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

// curve and lines shorten the tables below.
func curve(p ...point) stroke { return stroke{points: p} }
func lines(p ...point) stroke { return stroke{points: p, sharp: true} }

// styles returns the styles of every digit: skeletons drawn by hand for this package, after the usual forms of school
// and everyday handwriting in Europe and America.
func styles() [10][]style {
	return [10][]style{
		0: {
			// an oval begun at the top
			{4, []stroke{curve(point{.36, .02}, point{.12, .16}, point{.02, .48}, point{.10, .83}, point{.35, .98}, point{.61, .84}, point{.70, .50}, point{.60, .16}, point{.36, .02}, point{.22, .07})}},
			// not quite closed, ends crossing
			{2, []stroke{curve(point{.50, .06}, point{.26, .05}, point{.05, .32}, point{.05, .68}, point{.26, .97}, point{.56, .90}, point{.70, .56}, point{.62, .20}, point{.38, .03}, point{.24, .12})}},
			// begun at the right, with a small hook inside
			{1, []stroke{curve(point{.60, .14}, point{.42, .01}, point{.14, .12}, point{.02, .46}, point{.10, .86}, point{.38, .99}, point{.64, .80}, point{.70, .42}, point{.56, .10}, point{.40, .14})}},
			// nearly round
			{2, []stroke{curve(point{.50, .03}, point{.18, .13}, point{.02, .48}, point{.17, .86}, point{.50, .97}, point{.84, .84}, point{.97, .50}, point{.83, .15}, point{.50, .03}, point{.34, .05})}},
			// leaning, slim
			{3, []stroke{curve(point{.56, .02}, point{.28, .22}, point{.10, .58}, point{.12, .94}, point{.34, .94}, point{.58, .62}, point{.66, .22}, point{.54, .02}, point{.40, .12})}},
			// lying, wide
			{1, []stroke{curve(point{.60, .20}, point{.20, .22}, point{-.04, .50}, point{.22, .78}, point{.66, .78}, point{.96, .50}, point{.74, .22}, point{.50, .20}, point{.36, .28})}},
		},
		1: {
			{5, []stroke{curve(point{.50, .00}, point{.50, .50}, point{.50, 1.0})}},
			{2, []stroke{curve(point{.55, .00}, point{.50, .50}, point{.42, 1.0})}},
			{2, []stroke{lines(point{.26, .24}, point{.50, .02}, point{.50, 1.0})}},
			{1, []stroke{lines(point{.22, .26}, point{.50, .02}, point{.50, 1.0}), lines(point{.24, 1.0}, point{.78, 1.0})}},
			{1, []stroke{curve(point{.34, .14}, point{.48, .03}, point{.50, .20}, point{.49, .60}, point{.50, 1.0})}},
		},
		2: {
			// arc, diagonal, straight base
			{4, []stroke{curve(point{.08, .24}, point{.22, .05}, point{.46, .01}, point{.64, .16}, point{.60, .40}, point{.38, .66}, point{.06, .97}), curve(point{.06, .97}, point{.38, .96}, point{.74, .95})}},
			// small loop at the foot
			{4, []stroke{curve(point{.06, .20}, point{.24, .03}, point{.52, .04}, point{.62, .24}, point{.50, .52}, point{.28, .82}, point{.10, .95}, point{.03, .84}, point{.16, .76}, point{.36, .88}, point{.58, .98}, point{.80, .90})}},
			// round back, wavy base
			{2, []stroke{curve(point{.10, .16}, point{.34, .00}, point{.62, .12}, point{.62, .38}, point{.40, .66}, point{.10, .92}, point{.30, .88}, point{.54, .98}, point{.80, .93})}},
			// sharp foot, like a Z with a round head
			{2, []stroke{curve(point{.04, .12}, point{.32, .01}, point{.58, .10}, point{.56, .34}, point{.34, .64}, point{.02, 1.0}), lines(point{.02, 1.0}, point{.70, .98})}},
			// long base
			{3, []stroke{curve(point{.14, .22}, point{.34, .02}, point{.62, .08}, point{.62, .34}, point{.36, .66}, point{.10, .94}), curve(point{.10, .94}, point{.40, .86}, point{.76, .88}, point{1.10, .84})}},
			// a loop at the foot that leaves for a long tail
			{3, []stroke{curve(point{.16, .16}, point{.44, .00}, point{.66, .14}, point{.58, .44}, point{.34, .76}, point{.12, .96}, point{.00, .88}, point{.12, .76}, point{.40, .82}, point{.74, .92}, point{1.08, .84})}},
			// a head that curls in
			{2, []stroke{curve(point{.22, .34}, point{.10, .22}, point{.26, .03}, point{.54, .04}, point{.64, .26}, point{.46, .58}, point{.12, .94}), curve(point{.12, .94}, point{.40, .90}, point{.78, .98})}},
			// a cap for a head and a large round loop at the foot
			{6, []stroke{curve(point{.15, .25}, point{.35, .03}, point{.68, .10}, point{.72, .38}, point{.58, .70}, point{.34, .94}, point{.10, .96}, point{.02, .80}, point{.20, .68}, point{.46, .78}, point{.70, .94}, point{.92, .92})}},
			{5, []stroke{curve(point{.20, .20}, point{.45, .02}, point{.72, .16}, point{.70, .48}, point{.52, .80}, point{.24, .98}, point{.02, .92}, point{.04, .72}, point{.26, .66}, point{.54, .82}, point{.80, .98})}},
			// head and foot both curl
			{4, []stroke{curve(point{.36, .36}, point{.20, .28}, point{.24, .08}, point{.50, .00}, point{.74, .16}, point{.70, .48}, point{.48, .80}, point{.16, .96}, point{.02, .84}, point{.18, .72}, point{.50, .84}, point{.88, .90})}},
			// steep neck, flat loop, short tail
			{4, []stroke{curve(point{.22, .14}, point{.46, .02}, point{.62, .20}, point{.56, .52}, point{.40, .86}, point{.16, .98}, point{.02, .86}, point{.16, .74}, point{.42, .84}, point{.66, .98})}},
		},
		3: {
			{5, []stroke{curve(point{.08, .12}, point{.32, .00}, point{.60, .10}, point{.58, .34}, point{.30, .46}), curve(point{.30, .46}, point{.60, .54}, point{.70, .76}, point{.48, .97}, point{.18, .97}, point{.00, .85})}},
			// with a small loop in the middle
			{3, []stroke{curve(point{.10, .08}, point{.38, .00}, point{.62, .12}, point{.54, .36}, point{.30, .48}, point{.26, .42}, point{.40, .44}, point{.64, .58}, point{.66, .82}, point{.42, .99}, point{.10, .94})}},
			// flat top
			{1, []stroke{lines(point{.06, .03}, point{.62, .03}, point{.32, .40}), curve(point{.32, .40}, point{.62, .48}, point{.68, .74}, point{.44, .97}, point{.06, .92})}},
			// shallow bows
			{2, []stroke{curve(point{.02, .06}, point{.40, .02}, point{.58, .16}, point{.44, .38}, point{.20, .48}), curve(point{.20, .48}, point{.52, .52}, point{.62, .70}, point{.44, .92}, point{.00, 1.0})}},
			// small head, large belly
			{2, []stroke{curve(point{.10, .08}, point{.36, .00}, point{.52, .10}, point{.44, .28}, point{.24, .36}), curve(point{.24, .36}, point{.58, .40}, point{.74, .66}, point{.52, .96}, point{.10, .98}, point{-.08, .88})}},
			// pointed, leaning
			{2, []stroke{lines(point{.10, .04}, point{.60, .06}, point{.26, .42}), curve(point{.26, .42}, point{.56, .48}, point{.58, .74}, point{.30, .96}, point{-.06, .98})}},
		},
		4: {
			// open: a hook and an upright
			{4, []stroke{curve(point{.12, .04}, point{.06, .30}, point{.06, .50}, point{.30, .54}, point{.66, .48}), curve(point{.66, .02}, point{.62, .50}, point{.60, 1.0})}},
			// open, sharp
			{3, []stroke{lines(point{.14, .02}, point{.03, .54}, point{.80, .52}), lines(point{.62, .04}, point{.56, 1.0})}},
			// closed
			{2, []stroke{lines(point{.56, .02}, point{.02, .62}, point{.80, .62}), lines(point{.58, .02}, point{.56, 1.0})}},
			// open in one go, the upright leaving the hook's end
			{3, []stroke{curve(point{.10, .06}, point{.04, .38}, point{.18, .56}, point{.44, .50}, point{.62, .30}, point{.68, .06}), curve(point{.68, .06}, point{.62, .50}, point{.54, 1.0})}},
			// pointed top, almost closed
			{1, []stroke{lines(point{.48, .00}, point{.02, .58}, point{.30, .58}, point{.78, .54}), curve(point{.56, .14}, point{.54, .60}, point{.50, 1.0})}},
			// short arms, the upright crossing low
			{2, []stroke{curve(point{.10, .10}, point{.04, .34}, point{.12, .46}, point{.40, .44}, point{.72, .40}), curve(point{.62, .00}, point{.56, .40}, point{.44, 1.0})}},
			// slanted, closed head
			{2, []stroke{lines(point{.64, .00}, point{.06, .56}, point{.36, .56}, point{.84, .50}), curve(point{.64, .00}, point{.56, .44}, point{.46, 1.0})}},
		},
		5: {
			// one line: bar, neck, belly
			{4, []stroke{lines(point{.72, .02}, point{.22, .05}, point{.14, .44}), curve(point{.14, .44}, point{.40, .36}, point{.64, .52}, point{.62, .80}, point{.36, .98}, point{.02, .92})}},
			// separate bar
			{3, []stroke{curve(point{.20, .04}, point{.16, .26}, point{.14, .42}, point{.40, .38}, point{.62, .56}, point{.58, .84}, point{.30, .99}, point{.02, .90}), curve(point{.18, .04}, point{.46, .04}, point{.78, .00})}},
			// round neck, slanted bar
			{3, []stroke{curve(point{.80, .00}, point{.52, .04}, point{.26, .10}, point{.18, .36}, point{.30, .44}, point{.54, .54}, point{.58, .76}, point{.36, .96}, point{.04, .94})}},
			// large belly
			{2, []stroke{lines(point{.66, .02}, point{.16, .02}, point{.12, .38}), curve(point{.12, .38}, point{.46, .32}, point{.72, .54}, point{.66, .86}, point{.34, 1.0}, point{.04, .86})}},
			// long bar
			{3, []stroke{lines(point{1.00, .00}, point{.28, .06}, point{.20, .42}), curve(point{.20, .42}, point{.44, .40}, point{.60, .58}, point{.52, .84}, point{.22, .98}, point{-.06, .90})}},
			// small belly, like an S
			{2, []stroke{curve(point{.70, .02}, point{.40, .02}, point{.18, .18}, point{.26, .40}, point{.50, .56}, point{.54, .80}, point{.30, .98}, point{.00, .94})}},
			// closing belly
			{2, []stroke{lines(point{.74, .02}, point{.24, .04}, point{.16, .42}), curve(point{.16, .42}, point{.46, .38}, point{.64, .60}, point{.56, .90}, point{.26, .98}, point{.08, .80}, point{.20, .68})}},
		},
		6: {
			{5, []stroke{curve(point{.54, .00}, point{.28, .20}, point{.08, .56}, point{.14, .88}, point{.38, .98}, point{.60, .82}, point{.52, .58}, point{.30, .56}, point{.12, .76})}},
			// straight stem, small loop
			{3, []stroke{curve(point{.34, .00}, point{.16, .32}, point{.04, .68}, point{.16, .94}, point{.40, .96}, point{.54, .78}, point{.42, .62}, point{.22, .68}, point{.08, .84})}},
			// long bow
			{2, []stroke{curve(point{.68, .06}, point{.38, .10}, point{.10, .44}, point{.06, .80}, point{.32, .99}, point{.62, .86}, point{.62, .60}, point{.36, .50}, point{.10, .68})}},
			// loop that meets the stem
			{2, []stroke{curve(point{.46, .00}, point{.20, .28}, point{.06, .64}, point{.20, .96}, point{.50, .94}, point{.58, .70}, point{.38, .58}, point{.16, .70}, point{.10, .80})}},
			// large round loop
			{3, []stroke{curve(point{.36, .00}, point{.10, .28}, point{.00, .66}, point{.18, .96}, point{.56, .96}, point{.76, .72}, point{.60, .52}, point{.34, .58}, point{.16, .82})}},
			// open loop
			{2, []stroke{curve(point{.40, .00}, point{.14, .34}, point{.04, .72}, point{.22, .98}, point{.54, .92}, point{.70, .68}, point{.56, .54}, point{.36, .64})}},
			// slanted, slim
			{2, []stroke{curve(point{.70, .00}, point{.42, .28}, point{.18, .62}, point{.16, .88}, point{.34, .98}, point{.54, .84}, point{.56, .64}, point{.40, .60}, point{.22, .78})}},
		},
		7: {
			{5, []stroke{lines(point{.02, .08}, point{.66, .06}), curve(point{.66, .06}, point{.48, .48}, point{.28, 1.0})}},
			// serif at the left
			{2, []stroke{lines(point{.04, .22}, point{.06, .05}, point{.68, .04}), curve(point{.68, .04}, point{.46, .44}, point{.34, 1.0})}},
			// crossed
			{2, []stroke{lines(point{.04, .06}, point{.68, .04}), curve(point{.68, .04}, point{.46, .48}, point{.26, 1.0}), lines(point{.22, .52}, point{.70, .48})}},
			// round shoulder
			{3, []stroke{curve(point{.02, .16}, point{.20, .05}, point{.46, .06}, point{.64, .08}, point{.58, .30}, point{.42, .62}, point{.34, 1.0})}},
			// curved stem
			{2, []stroke{lines(point{.02, .04}, point{.62, .02}), curve(point{.62, .02}, point{.58, .26}, point{.46, .54}, point{.44, 1.0})}},
			// long bar, short stem
			{3, []stroke{lines(point{-.14, .14}, point{.70, .06}), curve(point{.70, .06}, point{.62, .40}, point{.54, .96})}},
			// serif and a stem that bends
			{2, []stroke{lines(point{.00, .34}, point{.06, .06}, point{.70, .08}), curve(point{.70, .08}, point{.64, .40}, point{.44, .70}, point{.42, 1.0})}},
			// crossed and curved
			{2, []stroke{curve(point{.06, .12}, point{.30, .06}, point{.66, .04}, point{.54, .40}, point{.36, .98}), lines(point{.16, .56}, point{.68, .50})}},
		},
		8: {
			// one line, begun at the top right
			{4, []stroke{curve(point{.56, .12}, point{.34, .01}, point{.10, .12}, point{.14, .34}, point{.38, .50}, point{.58, .68}, point{.54, .92}, point{.30, .99}, point{.06, .88}, point{.12, .66}, point{.36, .48}, point{.56, .30}, point{.60, .14}, point{.50, .06})}},
			// two rings
			{2, []stroke{curve(point{.34, .01}, point{.12, .12}, point{.16, .38}, point{.36, .47}, point{.56, .36}, point{.58, .12}, point{.34, .01}, point{.24, .05}), curve(point{.36, .47}, point{.10, .62}, point{.08, .88}, point{.36, 1.0}, point{.62, .88}, point{.60, .62}, point{.36, .47}, point{.26, .50})}},
			// slim, large below, the head open
			{3, []stroke{curve(point{.60, .04}, point{.34, .03}, point{.16, .20}, point{.28, .42}, point{.50, .60}, point{.52, .86}, point{.28, .99}, point{.06, .86}, point{.14, .64}, point{.40, .42}, point{.62, .20}, point{.64, .06})}},
			// begun in the middle
			{2, []stroke{curve(point{.40, .46}, point{.18, .32}, point{.18, .10}, point{.42, .00}, point{.62, .14}, point{.52, .38}, point{.26, .56}, point{.06, .78}, point{.20, .98}, point{.48, .94}, point{.58, .72}, point{.44, .50})}},
			// head open at the right
			{3, []stroke{curve(point{.72, .10}, point{.44, .00}, point{.16, .10}, point{.20, .32}, point{.44, .54}, point{.54, .78}, point{.40, .98}, point{.14, .92}, point{.18, .68}, point{.46, .42}, point{.78, .14})}},
			// slanted, slim
			{3, []stroke{curve(point{.58, .10}, point{.40, .02}, point{.28, .16}, point{.38, .38}, point{.48, .62}, point{.40, .90}, point{.20, .98}, point{.14, .80}, point{.30, .58}, point{.54, .34}, point{.66, .12}, point{.54, .02})}},
			// large head, small foot
			{3, []stroke{curve(point{.50, .02}, point{.20, .04}, point{.06, .26}, point{.28, .48}, point{.50, .70}, point{.48, .92}, point{.32, 1.0}, point{.20, .88}, point{.30, .66}, point{.60, .42}, point{.72, .18}, point{.52, .02}, point{.36, .02})}},
			// two round rings, the lower one larger
			{3, []stroke{curve(point{.44, .02}, point{.22, .10}, point{.22, .34}, point{.42, .44}, point{.62, .32}, point{.60, .10}, point{.44, .02}, point{.36, .04}), curve(point{.42, .44}, point{.12, .58}, point{.06, .86}, point{.34, 1.0}, point{.66, .90}, point{.70, .62}, point{.42, .44}, point{.34, .46})}},
		},
		9: {
			// ring and straight stem
			{4, []stroke{curve(point{.62, .12}, point{.40, .00}, point{.12, .14}, point{.08, .38}, point{.30, .48}, point{.56, .34}, point{.64, .10}), curve(point{.64, .10}, point{.62, .50}, point{.58, 1.0})}},
			// ring and stem bowed to the left
			{4, []stroke{curve(point{.58, .16}, point{.36, .01}, point{.10, .16}, point{.10, .40}, point{.34, .46}, point{.58, .26}, point{.60, .12}, point{.62, .40}, point{.50, .74}, point{.34, 1.0})}},
			// hooked stem
			{2, []stroke{curve(point{.62, .10}, point{.36, .00}, point{.10, .16}, point{.12, .42}, point{.38, .46}, point{.62, .26}), curve(point{.64, .08}, point{.66, .50}, point{.60, .88}, point{.36, 1.0}, point{.10, .90})}},
			// small head, slanted
			{3, []stroke{curve(point{.56, .08}, point{.34, .02}, point{.14, .18}, point{.16, .38}, point{.36, .42}, point{.56, .24}, point{.60, .06}, point{.52, .40}, point{.40, .72}, point{.30, 1.0})}},
			// large round head, short stem
			{3, []stroke{curve(point{.68, .10}, point{.36, -.02}, point{.04, .16}, point{.02, .46}, point{.28, .58}, point{.60, .40}, point{.72, .12}), curve(point{.72, .12}, point{.70, .54}, point{.62, 1.0})}},
			// open head
			{3, []stroke{curve(point{.58, .02}, point{.26, .10}, point{.10, .34}, point{.26, .48}, point{.54, .38}, point{.70, .14}), curve(point{.70, .14}, point{.62, .54}, point{.46, 1.0})}},
			// flat head, stem to the left
			{2, []stroke{curve(point{.74, .08}, point{.40, .02}, point{.04, .22}, point{.10, .40}, point{.46, .36}, point{.72, .14}, point{.56, .52}, point{.30, 1.0})}},
		},
	}
}
