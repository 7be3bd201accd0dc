// This file lets clock_js.go declare a function without a body.
