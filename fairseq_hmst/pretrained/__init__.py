"""Reading pretrained text models of others, and fitting them to a data-bin."""
