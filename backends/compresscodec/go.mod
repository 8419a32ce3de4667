module github.com/tiercache/tiercache/backends/compresscodec

go 1.26.0

replace github.com/tiercache/tiercache => ../..

require (
	github.com/klauspost/compress v1.20.1
	github.com/stretchr/testify v1.12.1
	github.com/tiercache/tiercache v0.0.0
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect
