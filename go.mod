module github.com/tiercache/tiercache

go 1.26.0
