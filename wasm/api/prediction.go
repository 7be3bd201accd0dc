package api

// Prediction answers what a page needs to load a model and show what it says: a program with it is half as large.
var Prediction = Methods{prediction}

func prediction(name []byte) method {
	switch string(name) {
	case "init":
		return (*Server).start
	case "memory":
		return (*Server).memory
	case "dispose":
		return (*Server).dispose
	case "tensor.new":
		return (*Server).tensorNew
	case "tensor.read":
		return (*Server).tensorRead
	case "tensor.info":
		return (*Server).tensorInfo
	case "tensor.alloc":
		return (*Server).tensorAlloc
	case "tensor.write":
		return (*Server).tensorWrite
	case "model.load":
		return (*Server).modelLoad
	case "model.summary":
		return (*Server).modelSummary
	case "model.predict":
		return (*Server).modelPredict
	case "model.activations":
		return (*Server).modelActivations
	case "preprocess.digit":
		return (*Server).preprocessDigit
	}
	return nil
}
