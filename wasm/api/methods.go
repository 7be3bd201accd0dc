package api

type method = func(s *Server, a val) error

// methodOf returns what answers to a name, nil where nothing does.
func methodOf(name []byte) method {
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
	case "tensor.random":
		return (*Server).tensorRandom
	case "variable.new":
		return (*Server).variableNew
	case "variable.assign":
		return (*Server).variableAssign
	case "graph.run":
		return (*Server).graphRun
	case "function.define":
		return (*Server).functionDefine
	case "function.run":
		return (*Server).functionRun
	case "model.new":
		return (*Server).modelNew
	case "model.compile":
		return (*Server).modelCompile
	case "model.weights":
		return (*Server).modelWeights
	case "model.setWeights":
		return (*Server).modelSetWeights
	case "model.evaluate":
		return (*Server).modelEvaluate
	case "model.trainOnBatch":
		return (*Server).modelTrainOnBatch
	case "model.saliency":
		return (*Server).modelSaliency
	case "model.export":
		return (*Server).modelExport
	case "model.save":
		return (*Server).modelSave
	case "model.loadWeights", "model.fromWeights":
		return (*Server).modelLoadWeights
	case "fit.start":
		return (*Server).fitStart
	case "fit.run":
		return (*Server).fitRun
	case "fit.feed":
		return (*Server).fitFeed
	case "fit.epochEnd":
		return (*Server).fitEpochEnd
	case "fit.stop":
		return (*Server).fitStop
	case "fit.checkpoint":
		return (*Server).fitCheckpoint
	case "fit.restore":
		return (*Server).fitRestore
	case "digits.new":
		return (*Server).digitsNew
	case "dataset.new":
		return (*Server).datasetNew
	case "idx.new":
		return (*Server).idxNew
	case "dataset.get":
		return (*Server).datasetGet
	case "dataset.append":
		return (*Server).datasetAppend
	case "dataset.concat":
		return (*Server).datasetConcat
	case "metrics.compute":
		return (*Server).metricsCompute
	}
	return nil
}
