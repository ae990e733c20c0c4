// Gets URLs; prints who answered each.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	for _, url := range os.Args[1:] {
		answer, err := http.Get(url)
		if err != nil {
			fmt.Println("error")
			continue
		}
		body, _ := io.ReadAll(answer.Body)
		fmt.Println(string(body))
	}
}
